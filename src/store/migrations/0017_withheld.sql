-- Sentences that speak to a reader instead of to people, and were not shown to the model that read the post or note.

alter table post_reading add column withheld integer not null default 0 check (withheld >= 0);
alter table note_reading add column withheld integer not null default 0 check (withheld >= 0);
