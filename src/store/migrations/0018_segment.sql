-- The part of the market that a firm belongs to, by a column of the CRM: an industry, a size, a plan.

create table segment (
    account text primary key,                                   -- as in note.account; need not be in account
    name    text not null check (length(name) > 0)              -- as spelled there; never a person's
) strict, without rowid;
