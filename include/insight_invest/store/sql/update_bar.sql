update tb_bar as b
set open = d.open, high = d.high, low = d.low, close = d.close, volume = d.volume, basis_date = d.basis_date,
    source = %(source)s, currency = %(currency)s, observed_at = %(as_of)s, final = false, run_id = %(run_id)s
from diff_bar as d
where d.known and b.meta_id = d.meta_id and b.trade_date = d.trade_date
