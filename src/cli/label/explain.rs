//! What each question means: METHOD's definitions with what to include and what to exclude.

pub(super) const VOICE: &str = concat!(
    "Who lives what is told? Only first hand is counted; second hand serves to see how much that matters.\n",
    "  f first hand: the author or the author's team lives it.\n",
    "  s second hand: a named other's experience is reported.\n",
    "  g generic: “people hate it”.\n",
    "  h hypothetical: “would be annoying if”.\n",
    "  v vendor or promotion: a seller, an affiliate, a founder pitching, “I built”.\n",
    "  u unclear: cannot be told.\n",
    "Of what is neither first nor second hand nothing more is asked: it is excluded from all counts.\n",
);

pub(super) const ACTS: &str = concat!(
    "Six yes-no questions; a post may do several of these at once, or none.\n",
    "  c complaint: something breaks what the author could expect.\n",
    "    Yes: “third time this month the sync dropped rows”; a polite breach; a breach inside a question ",
    "(“why does export still time out?”).\n",
    "    No: an insult without a breach (“it is trash”); a bare question (“what does error 42 mean?”); hypothetical.\n",
    "  w failed workaround: a specific other means was tried and does not work, or not well enough.\n",
    "    Yes: “we scripted it in Zapier, broke every time the schema changed”.\n",
    "    No: ideas that were not tried; the vendor's documented fix that worked; “nothing works” without a named attempt. ",
    "An attempt that works but costs is i.\n",
    "  i workaround in use: the need is met now by hand or by a means not made for it, well enough to go on.\n",
    "    Yes: a spreadsheet kept every week; an intern does it; “we do it by hand, 6 hours a week”.\n",
    "    No: a product used as intended; advice that the author does not follow. ",
    "w and i together only for different attempts; of one attempt the latest state counts.\n",
    "  a ask: a wish for a capability is stated, or a means is asked for.\n",
    "    Yes: “is there anything that …”, “wish it could”, “looking for recommendations”.\n",
    "    No: how an existing function works; tips to other users; what is only implied (“this is so slow” is c).\n",
    "  s switch: the author leaves, has left or is deciding to leave a product, a vendor or the activity.\n",
    "    Yes: “moved to B”, “cancelled”, “gave up and do it by hand”, “debating if I should stay”.\n",
    "    No: news that others leave; a vendor's offer.\n",
    "  p praise: a good outcome that was experienced.\n",
    "    Yes: “cut close from 5 days to 1”.\n",
    "    No: thanks, politeness, “looks great, will try”, a vendor's words.\n",
);

pub(super) const WORDS: &str = concat!(
    "The words that perform the act, as they stand in the text. Copy or type them; or type the first and the last words with ",
    "... between; or press Enter to take the whole text. Spaces, line breaks and capitals need not match, the words must.\n",
);

pub(super) const PROBLEMS: &str = "Name every problem that the author or the buyer has by this text, and no other: o when the list does not hold it.\n";

pub(super) const INTEREST: &str = concat!(
    "The note's own claim, not your judgement of it.\n",
    "  0 declined or negative\n",
    "  1 cool, neutral\n",
    "  2 mild: “interested, will think”\n",
    "  3 strong: “very interested”, “promising”, “great call”\n",
    "  4 near-certain: “verbal yes”, “just paperwork”\n",
    "  - the note claims nothing either way\n",
);

pub(super) const COMPLIMENT: &str = concat!(
    "Praise of us, the demo or the idea, with no fact about the buyer's life.\n",
    "  Yes: “loved it”, “impressed”.\n",
    "  No: praise tied to a measured result in a trial.\n",
    "Copy or type the exact words, or the first and the last with ... between; Enter when there are none or no more.\n",
);

pub(super) const FLUFF: &str = concat!(
    "Talk that commits to nothing.\n",
    "  Yes: generic (“usually”, “always”), future (“would definitely”, “will circle back”, “next quarter”), hypothetical ",
    "(“if it had X we'd buy”), a feature wish.\n",
    "  No: a wish with a past attempt or money spent.\n",
    "Copy or type the exact words, or the first and the last with ... between; Enter when there are none or no more.\n",
);

pub(super) const LEVEL: &str = concat!(
    "The highest rung that this note shows as kept, where the buyer's own written words or a system's record vouch for it and ",
    "not only the rep's telling. What we do (“I'll send”) is never the buyer's commitment. A meeting booked and missed is 0.\n",
    "  0 none, or only the rep says so\n",
    "  1 undated intent: “will circle back”, asks for a deck\n",
    "  2 dated time: a next step with a date that the buyer accepted and kept, homework done\n",
    "  3 reputation: introduced a named decision maker, a meeting with several of them took place, a public reference\n",
    "  4 costly trial: with their own data, integration work, a security or legal review opened\n",
    "  5 money: paid pilot, deposit, signed, paid\n",
);

pub(super) const ASKED: &str = concat!(
    "Did we ask the buyer for anything in this note: a date, an introduction, data, a signature, money? ",
    "An offer of ours is no ask.\n",
);
