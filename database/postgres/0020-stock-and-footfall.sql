-- What a brand's systems tell of its stores: stock by product, the latest word winning, and visitors by day.
create table stock_level (
  store_id uuid not null references store (id) on delete cascade,
  sku text not null check (sku <> ''),
  quantity numeric(14, 3) not null,
  at timestamptz not null,
  source text not null,
  primary key (store_id, sku)
);
create index stock_level_sku on stock_level (sku);

create table store_footfall (
  store_id uuid not null references store (id) on delete cascade,
  -- of the brand's zone
  day date not null,
  entered int not null check (entered >= 0),
  passed int check (passed >= 0),
  told_at timestamptz not null,
  source text not null,
  primary key (store_id, day)
);
