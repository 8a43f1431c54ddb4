-- A note's pains are dropped with its reading; without an index each changed note read the whole table.
create index claimed_pain_note on claimed_pain (note);
