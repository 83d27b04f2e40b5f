select m.meta_id, m.ticker, m.market, newest.last_session, m.history_loaded, least(gap.trade_date, held.trade_date),
       unsettled.trade_date
from tb_meta as m
left join insight_watermark as newest on newest.meta_id = m.meta_id
left join lateral (
    select min(trade_date) as trade_date from tb_gap as g where g.meta_id = m.meta_id and g.state = 'open'
) as gap on true
left join lateral (
    -- a source mends its history within weeks; what it has left for 90 days is for an operator
    select min(trade_date) as trade_date from tb_quarantine as q
    where q.meta_id = m.meta_id and q.status = 'held' and q.kind = 'bar'
      and q.trade_date >= least(newest.last_session, %(session)s::date) - 90
) as held on true
left join lateral (
    -- where runs were missing, a bar that was read once, or was corrected, is older than the look-back
    select min(trade_date) as trade_date from tb_bar as b
    where insight_block(b.meta_id) = insight_block(m.meta_id) and b.meta_id = m.meta_id and not b.final and b.trade_date <= %(session)s
      and b.trade_date >= least(newest.last_session, %(session)s::date) - 90
) as unsettled on true
where m.iso_code = %(iso_code)s
  and case when cardinality(%(tickers)s::text[]) = 0
      -- who was not delisted on the day that is asked for; by name also who was
      then m.delisted_on is null or m.delisted_on > %(session)s
      else m.ticker = any (%(tickers)s) end
order by m.meta_id
