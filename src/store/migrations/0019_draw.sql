-- Samples by the days that they were drawn for, so that those of a period stay when the next is drawn.

create table draw (
    number integer primary key check (number > 0),              -- 1, 2, ... in the order of drawing
    since  text,                                                -- first day; null: open, or not kept
    until  text                                                 -- last day; null: open, or not kept
) strict;
insert into draw (number) select 1 where exists (select 1 from sample_unit);

-- Units drawn for hand labelling, with known probabilities.
create table drawn_unit (
    draw   integer not null references draw (number) on delete cascade,
    side   text not null check (side in ('community', 'crm')),
    unit   text not null,                                       -- author key or account id
    weight real not null check (weight >= 1),                   -- inverse of the probability of being drawn
    primary key (draw, side, unit)
) strict, without rowid;
insert into drawn_unit (draw, side, unit, weight) select 1, side, unit, weight from sample_unit;
drop table sample_unit;
