-- Which way a post went when a cheap reader decides what is worth an expensive one.

create table post_route (
    post   text not null references post (id) on delete cascade,
    recipe text not null,
    route  text not null check (route in ('passed_on', 'audited', 'left')),
    primary key (post, recipe)
) strict, without rowid;
