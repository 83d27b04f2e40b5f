insert into tb_bar_revision (
    meta_id, trade_date, open, high, low, close, volume, basis_date, source, currency, observed_at, final, run_id,
    replaced_at, replaced_by
)
select b.meta_id, b.trade_date, b.open, b.high, b.low, b.close, b.volume, b.basis_date, b.source, b.currency,
       b.observed_at, b.final, b.run_id, %(as_of)s, %(run_id)s
from diff_bar as d
join tb_bar as b on b.meta_id = d.meta_id and b.trade_date = d.trade_date
where d.known
