-- What a language model was asked and what it cost: ledger and cache in one. A row is written as soon as an answer
-- arrives, before anything is made of it, so what was paid for is never paid for twice.
create table llm_call (
    request_hash      text primary key,                                       -- of everything that decides the answer
    model             text not null,                                          -- as the server calls it
    prompt            text not null,                                          -- 'read_post', ...
    unit              text not null,                                          -- what it was about; several ids with a space between
    prompt_tokens     integer not null check (prompt_tokens >= 0),            -- sent, as the server counts
    completion_tokens integer not null check (completion_tokens >= 0),        -- received
    cost_micros       integer not null check (cost_micros >= 0),              -- millionths of the price table's currency
    finish            text not null,                                          -- why the model stopped: 'stop', 'length', ...
    reply             text,                                                   -- as it came; null when its subject was deleted
    made_at           integer not null                                        -- when it arrived
) strict;
create index llm_call_unit on llm_call (unit);
create index llm_call_several on llm_call (unit) where instr(unit, ' ') > 0;

-- What a server and model turned out to understand.
create table llm_server (
    base_url text not null,
    model    text not null,
    dialect  text not null check (json_valid(dialect)),                       -- answer format and parameters it takes
    primary key (base_url, model)
) strict, without rowid;

-- Batches handed to a provider and not yet collected.
create table llm_batch (
    id       text primary key,                                                -- the provider's id
    base_url text not null,
    model    text not null,
    requests text not null check (json_valid(requests)),                      -- hash, prompt and unit of each question
    made_at  integer not null
) strict;
