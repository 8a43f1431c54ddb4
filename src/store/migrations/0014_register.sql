-- Whether texts rewritten in the other side's style are still about the same problem (METHOD 3.1.4).

create table register (
    codebook text not null references codebook (hash) on delete cascade,
    problem  text not null,
    n        integer not null check (n >= 0),                   -- pairs in which either version is about it
    kappa    real check (kappa between -1 and 1),               -- Cohen's kappa over all pairs; null: cannot be told
    primary key (codebook, problem)
) strict, without rowid;
