-- Base prices that were set anew and are not explained yet, the newest first; how many sessions each has traded since.
select v.meta_id, m.ticker, v.ex_date, v.base, v.stored_close, v.stocks_before, v.stocks, v.run_id = %(run_id)s, (
    select count(*) from tb_bar as b
    where insight_block(b.meta_id) = insight_block(v.meta_id) and b.meta_id = v.meta_id
      and b.trade_date >= v.ex_date and b.trade_date <= %(until)s and b.volume > 0)
from tb_base_move as v
join tb_meta as m using (meta_id)
where v.state = 'open' and v.ex_date <= %(until)s and v.meta_id = any (%(meta_ids)s)
order by v.ex_date desc, v.meta_id
