insert into tb_bar (
    meta_id, trade_date, open, high, low, close, volume, basis_date, source, currency, observed_at, final, run_id
)
select meta_id, trade_date, open, high, low, close, volume, basis_date, %(source)s, %(currency)s, %(as_of)s,
       trade_date < %(settled_before)s, %(run_id)s
from diff_bar
where not known
order by meta_id, trade_date
