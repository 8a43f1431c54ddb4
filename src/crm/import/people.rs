//! Names and addresses of people, as cells hold them. They are collected to be masked, so what is surely no name is left
//! out: masking a word like `Admin` everywhere would cost more than it protects.

/// Words of roles and of mailboxes that are nobody's name.
const NOBODY: &[&str] = &[
    "account",
    "accounting",
    "accounts",
    "admin",
    "analyst",
    "assistant",
    "billing",
    "buyer",
    "ceo",
    "cfo",
    "chief",
    "cio",
    "client",
    "cmo",
    "contact",
    "coo",
    "cto",
    "customer",
    "customers",
    "dev",
    "director",
    "engineer",
    "exec",
    "executive",
    "finance",
    "founder",
    "head",
    "hello",
    "help",
    "helpdesk",
    "hr",
    "inbox",
    "info",
    "invoice",
    "invoices",
    "it",
    "lead",
    "legal",
    "mail",
    "manager",
    "marketing",
    "name",
    "newsletter",
    "no-reply",
    "noreply",
    "office",
    "officer",
    "operations",
    "ops",
    "orders",
    "owner",
    "partner",
    "postmaster",
    "president",
    "procurement",
    "purchasing",
    "regional",
    "reply",
    "revops",
    "sales",
    "service",
    "specialist",
    "sponsor",
    "staff",
    "success",
    "supervisor",
    "support",
    "svp",
    "team",
    "test",
    "the",
    "unknown",
    "user",
    "vp",
    "webmaster",
    "website",
];

/// Domains under which anybody may have an address.
const ANYBODYS: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "ymail.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "aol.com",
    "proton.me",
    "protonmail.com",
    "gmx.de",
    "gmx.net",
    "gmx.com",
    "web.de",
    "t-online.de",
    "mail.ru",
    "yandex.ru",
    "qq.com",
    "163.com",
];

fn is_nobody(word: &str) -> bool {
    NOBODY.binary_search(&word.to_lowercase().as_str()).is_ok()
}

/// A person's name in a cell that may hold anything, when it looks like one.
pub(super) fn name(text: &str) -> Option<String> {
    let text = bare(text);
    let words = text.split_whitespace().collect::<Vec<_>>();
    let plausible = (1..=5).contains(&words.len())
        && !text.contains(['@', '/', ':', '|'])
        && !text.chars().any(|c| c.is_ascii_digit())
        && text.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase())
        && !words.iter().any(|w| is_nobody(w.trim_matches(|c: char| !c.is_alphanumeric())));
    plausible.then(|| first_name_first(text))
}

/// The name in a field for a person's name, whatever it looks like: it is none only when it has no letter or all its words
/// are roles. Its words get capitals, because parts of a name are masked as they are spelled.
pub(super) fn stated_name(text: &str) -> Option<String> {
    let text = Some(bare(text)).filter(|t| t.contains(char::is_alphabetic)).unwrap_or(text).trim();
    if text.contains('@') {
        return name_in(text);
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let named = text.contains(char::is_alphabetic) && words.any(|w| !is_nobody(w));
    named.then(|| capitals(&first_name_first(text)))
}

/// `Doe, Jane (Acme)` and `Jane Doe <jane@firm.example>` without what follows the name.
fn bare(text: &str) -> &str {
    text.split(['<', '(', '[']).next().unwrap_or(text).trim().trim_matches('"')
}

fn first_name_first(name: &str) -> String {
    match name.split_once(',') {
        Some((last, first)) => format!("{} {}", first.trim(), last.trim()).trim().to_owned(),
        None => name.to_owned(),
    }
}

fn capitals(name: &str) -> String {
    let mut begins = true;
    let mut capital = String::with_capacity(name.len());
    for c in name.chars() {
        if begins {
            capital.extend(c.to_uppercase());
        } else {
            capital.push(c);
        }
        begins = c.is_whitespace() || matches!(c, '-' | '\'' | '\u{2019}');
    }
    capital
}

/// The names in a cell that may hold several.
pub(super) fn names(cell: &str) -> Vec<String> {
    let several = cell.contains([';', '\n']) || cell.matches(',').count() > 1;
    let parts = if several || people_by_comma(cell) { cell.split([';', '\n', ',']).collect() } else { vec![cell] };
    parts.into_iter().filter_map(name).collect()
}

/// `Jane Doe, Bo Li` are two people, `Doe, Jane` is one.
fn people_by_comma(cell: &str) -> bool {
    cell.split_once(',').is_some_and(|(one, two)| one.trim().contains(' ') && two.trim().contains(' '))
}

/// An address, lower case.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>')).trim();
    let (user, host) = text.split_once('@')?;
    let plain = !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace) && !host.contains('@');
    plain.then(|| text.to_lowercase())
}

/// The name that an address spells: `jane.doe@firm.example`. One word alone may be anything, so it is none.
pub(super) fn name_in(address: &str) -> Option<String> {
    let (user, _) = address.split_once('@')?;
    let parts = user.split(['.', '_', '-']).collect::<Vec<_>>();
    let good = |part: &&str| part.chars().count() > 1 && part.chars().all(char::is_alphabetic) && !is_nobody(part);
    let capital = |part: &&str| {
        let mut letters = part.chars();
        letters.next().map(|c| c.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    ((2..=3).contains(&parts.len()) && parts.iter().all(good))
        .then(|| parts.iter().map(capital).collect::<Vec<_>>().join(" "))
}

/// The domain of a web site or of an address, lower case, without `www.`; `None` for those where anybody may be.
pub(super) fn domain(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let text = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let host = text.split(['/', '?', '#', ':', ' ', '>']).next()?.trim_start_matches("www.").trim_end_matches('.');
    let plain = host.contains('.') && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
    (plain && !ANYBODYS.contains(&host)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_roles() {
        assert!(NOBODY.is_sorted(), "looked up by halves");
        assert_eq!(names("Ines Okoro; Tam Vale, Bo Li"), ["Ines Okoro", "Tam Vale", "Bo Li"]);
        assert_eq!(names("Okoro, Ines"), ["Ines Okoro"]);
        assert_eq!(names("VP Ops, Admin Lead"), Vec::<String>::new());
        assert_eq!(names("Tam Vale <tam@firm.example>"), ["Tam Vale"]);
        assert_eq!(name("0031G00001Pji7ZQAR"), None);
    }

    #[test]
    fn fields_for_names_hold_names() {
        for (field, name) in [
            ("ines vale", Some("Ines Vale")),
            ("van der Berg", Some("Van Der Berg")),
            ("Edith Head", Some("Edith Head")),
            ("Pablo Diego Jos\u{e9} Francisco de Paula Ruiz", Some("Pablo Diego Jos\u{e9} Francisco De Paula Ruiz")),
            ("o'neil-vale, anne", Some("Anne O'Neil-Vale")),
            ("Tam Vale <tam@firm.example>", Some("Tam Vale")),
            ("tam.vale@firm.example", Some("Tam Vale")),
            ("(Bo Li)", Some("(Bo Li)")),
            ("Sales Team", None),
            ("info@firm.example", None),
            ("12-345", None),
            ("", None),
        ] {
            assert_eq!(stated_name(field).as_deref(), name, "{field}");
        }
    }

    #[test]
    fn addresses_give_names_and_domains() {
        assert_eq!(address("Tam <Tam.Vale@Firm.example>").as_deref(), Some("tam.vale@firm.example"));
        assert_eq!(name_in("tam.vale@firm.example").as_deref(), Some("Tam Vale"));
        assert_eq!(name_in("sales.team@firm.example"), None);
        assert_eq!(name_in("tam@firm.example"), None);
        assert_eq!(domain("https://www.Firm.example/about").as_deref(), Some("firm.example"));
        assert_eq!(domain("tam@firm.example").as_deref(), Some("firm.example"));
        assert_eq!(domain("tam@gmail.com"), None);
    }
}
