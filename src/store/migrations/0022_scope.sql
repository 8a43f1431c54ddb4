-- Which people a sample was drawn of.

alter table draw add column scope text;                         -- settings as JSON; null: of all people
