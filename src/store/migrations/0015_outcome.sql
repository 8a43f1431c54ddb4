-- What became of customers, and what the CRM foretold on the way (METHOD 3.6, 5.1).

alter table opportunity add column churned_at integer;          -- when the service ended; null: not known to have
alter table opportunity add column value_at integer;            -- when the customer reached the value milestone

-- The probability that the CRM gave a deal, and when: that of an ended deal is 0 or 1 and foretells nothing.
create table crm_probability (
    opportunity text not null,                                  -- the deal; need not be in the store
    at          integer not null,                               -- when given, or known to have stood
    probability real not null check (probability between 0 and 1),
    primary key (opportunity, at)
) strict, without rowid;
