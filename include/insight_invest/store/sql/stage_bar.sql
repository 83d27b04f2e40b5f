create temporary table if not exists stage_bar (
    meta_id integer not null,
    trade_date date not null,
    open double precision not null,
    high double precision not null,
    low double precision not null,
    close double precision not null,
    volume double precision not null,
    basis_date date not null
)
