//! Engines as data: where each puts what belongs to a post, as CSS selectors.

use std::collections::HashMap;

use ego_tree::NodeId;
use regex::Regex;
use scraper::{ElementRef, Html, Selector};

use super::Raw;
use super::dom::{field, owner, selector};
use crate::model::Source;
use crate::text::html::{Cut, tree_to_text};

/// Where a value stands: elements below the post by a selector, or the post itself by an empty one; and the attribute, or
/// the words by an empty one.
pub(super) type Rule = (&'static str, &'static str);

/// An engine. Rules are tried in order; the first value found counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Engine {
    /// What people call it.
    pub name: &'static str,
    /// What its posts are called by: their ids begin with it.
    pub source: Source,
    /// Found on all of its pages.
    pub mark: &'static str,
    /// Found on pages that list threads or hits, which may look like posts.
    pub list: &'static str,
    /// A post with all that belongs to it. Where it is empty, a post is what holds one body and no other.
    pub post: &'static str,
    /// What stands right before a post and belongs to it, where its date and its number are not in it.
    pub head: &'static str,
    /// The words of a post, and what else stands in it: furniture, and words of others.
    pub body: &'static str,
    pub cut: &'static str,
    pub quote: &'static str,
    /// The id that the engine gave; its last number, unless `whole_ids`.
    pub id: &'static [Rule],
    pub whole_ids: bool,
    pub author: &'static [Rule],
    pub date: &'static [Rule],
    pub edited: &'static [Rule],
    pub url: &'static [Rule],
    /// The id of the post that is answered.
    pub parent: &'static [Rule],
    /// How deep a post stands: it answers the last one before it that stands less deep. One that does not say stands above
    /// all.
    pub depth: &'static [Rule],
    /// Posts stand in the post that they answer.
    pub nested: bool,
    /// Posts that answer no other answer the first.
    pub answers: bool,
    /// A post that was deleted.
    pub gone: &'static str,
    /// The thread's title.
    pub title: &'static [Rule],
    /// The thread's own id in its address, the first group of the first pattern that fits.
    pub thread: &'static [&'static str],
}

impl Engine {
    /// An engine of which nothing is known.
    pub(super) const UNKNOWN: Self = Self {
        name: "unknown engine",
        source: Source::Forum,
        mark: "",
        list: "",
        post: "",
        head: "",
        body: "",
        cut: "",
        quote: "",
        id: &[],
        whole_ids: false,
        author: &[],
        date: &[],
        edited: &[],
        url: &[],
        parent: &[],
        depth: &[],
        nested: false,
        answers: false,
        gone: "",
        title: &[],
        thread: &[],
    };
}

/// An engine whose selectors are parsed.
pub(super) struct Ready {
    pub engine: &'static Engine,
    mark: Option<Selector>,
    list: Option<Selector>,
    post: Option<Selector>,
    head: Option<Selector>,
    body: Option<Selector>,
    cut: Option<Selector>,
    quote: Option<Selector>,
    gone: Option<Selector>,
    id: Vec<ReadyRule>,
    author: Vec<ReadyRule>,
    date: Vec<ReadyRule>,
    edited: Vec<ReadyRule>,
    url: Vec<ReadyRule>,
    parent: Vec<ReadyRule>,
    depth: Vec<ReadyRule>,
    thread: Vec<Regex>,
}

type ReadyRule = (Option<Selector>, &'static str);

impl Ready {
    pub(super) fn new(engine: &'static Engine) -> Self {
        let rules = |rules: &[Rule]| rules.iter().map(|(css, attribute)| (selector(css), *attribute)).collect();
        Self {
            engine,
            mark: selector(engine.mark),
            list: selector(engine.list),
            post: selector(engine.post),
            head: selector(engine.head),
            body: selector(engine.body),
            cut: selector(engine.cut),
            quote: selector(engine.quote),
            gone: selector(engine.gone),
            id: rules(engine.id),
            author: rules(engine.author),
            date: rules(engine.date),
            edited: rules(engine.edited),
            url: rules(engine.url),
            parent: rules(engine.parent),
            depth: rules(engine.depth),
            thread: engine.thread.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect(),
        }
    }

    /// Whether the page is made by this engine.
    pub(super) fn is_marked(&self, page: &Html) -> bool {
        self.mark.as_ref().is_some_and(|mark| page.select(mark).next().is_some())
    }

    /// Whether the page lists threads or hits.
    pub(super) fn is_list(&self, page: &Html) -> bool {
        self.list.as_ref().is_some_and(|list| page.select(list).next().is_some())
    }

    /// The thread's own id, as `address` tells it.
    pub(super) fn thread(&self, address: &str) -> Option<String> {
        self.thread.iter().find_map(|pattern| Some(pattern.captures(address)?.get(1)?.as_str().to_owned()))
    }

    /// The posts of a page, in its order.
    pub(super) fn posts(&self, page: &Html) -> Vec<Raw> {
        let Some(body) = &self.body else { return Vec::new() };
        let bodies: Vec<ElementRef<'_>> = page.select(body).collect();
        let blocks: Vec<ElementRef<'_>> = match &self.post {
            Some(post) => page.select(post).collect(),
            None => around(&bodies),
        };
        let mut index: HashMap<NodeId, usize> = blocks.iter().enumerate().map(|(i, b)| (b.id(), i)).collect();
        for head in self.head.iter().flat_map(|css| page.select(css)) {
            let next = head.next_siblings().find_map(ElementRef::wrap);
            if let Some(at) = next.and_then(|next| index.get(&next.id())).copied() {
                index.insert(head.id(), at);
            }
        }
        let mut body_of: Vec<Option<ElementRef<'_>>> = vec![None; blocks.len()];
        for body in bodies {
            if let Some(at) = owner(page, body.id(), &index) {
                body_of[at].get_or_insert(body);
            }
        }
        let cuts = self.cuts(page);
        let values = |rules: &[ReadyRule]| gather(page, rules, &blocks, &index);
        let (mut ids, mut authors, mut dates) = (values(&self.id), values(&self.author), values(&self.date));
        let (mut edits, mut urls, mut parents) = (values(&self.edited), values(&self.url), values(&self.parent));
        let mut depths = values(&self.depth);
        let mut above: Vec<(Option<u32>, Option<String>)> = Vec::new();
        let gone = self.gone(page, &index);
        let own = |id: String| if self.engine.whole_ids { Some(id) } else { last_number(&id) };
        let mut posts: Vec<Option<Raw>> = Vec::with_capacity(blocks.len());
        for (at, body) in body_of.iter().enumerate() {
            let take = |values: &mut Vec<Vec<String>>| std::mem::take(&mut values[at]);
            let first = |values: &mut Vec<Vec<String>>| take(values).into_iter().next();
            let mut raw = Raw {
                id: first(&mut ids).and_then(own),
                author: first(&mut authors).map(|a| tidy_name(&a).to_owned()),
                dates: take(&mut dates),
                edited: first(&mut edits),
                url: first(&mut urls),
                parent: first(&mut parents).and_then(own),
                gone: gone[at],
                text: body
                    .map(|b| tree_to_text(*b, |id| cuts.get(&id).copied().unwrap_or(Cut::Keep)))
                    .unwrap_or_default(),
            };
            if !self.depth.is_empty() {
                let depth = first(&mut depths).and_then(|depth| depth.parse().ok());
                while above.pop_if(|(over, _)| *over >= depth).is_some() {}
                raw.parent = above.last().and_then(|(_, id)| id.clone());
                // Also of what was deleted and is none.
                above.push((depth, raw.id.clone()));
            }
            // A submission may be all title.
            let titled =
                self.engine.source == Source::Reddit && raw.id.as_ref().is_some_and(|id| id.starts_with("t3_"));
            posts.push((body.is_some() || raw.gone || titled).then_some(raw));
        }
        if self.engine.nested {
            for at in 0..blocks.len() {
                let above = blocks[at].parent().and_then(|p| owner(page, p.id(), &index));
                let id = above.and_then(|above| posts[above].as_ref()?.id.clone());
                if let Some(raw) = posts[at].as_mut().filter(|raw| raw.parent.is_none()) {
                    raw.parent = id;
                }
            }
        }
        let mut posts: Vec<Raw> = posts.into_iter().flatten().collect();
        if self.engine.answers
            && let Some((question, answers)) = posts.split_first_mut()
        {
            for answer in answers.iter_mut().filter(|a| a.parent.is_none()) {
                answer.parent.clone_from(&question.id);
            }
        }
        posts
    }

    fn cuts(&self, page: &Html) -> HashMap<NodeId, Cut> {
        let all = |css: &Option<Selector>, cut| {
            let found: Vec<_> = css.iter().flat_map(|css| page.select(css)).map(|e| (e.id(), cut)).collect();
            found
        };
        all(&self.quote, Cut::Others).into_iter().chain(all(&self.cut, Cut::Furniture)).collect()
    }

    fn gone(&self, page: &Html, index: &HashMap<NodeId, usize>) -> Vec<bool> {
        let mut gone = vec![false; index.len()];
        for element in self.gone.iter().flat_map(|css| page.select(css)) {
            if let Some(at) = owner(page, element.id(), index) {
                gone[at] = true;
            }
        }
        gone
    }
}

/// All values that `rules` find for each block, in the order of the rules.
fn gather(
    page: &Html,
    rules: &[ReadyRule],
    blocks: &[ElementRef<'_>],
    index: &HashMap<NodeId, usize>,
) -> Vec<Vec<String>> {
    let mut values = vec![Vec::new(); blocks.len()];
    for (css, attribute) in rules {
        let Some(css) = css else {
            for (block, values) in blocks.iter().zip(&mut values).filter(|_| !attribute.is_empty()) {
                values.extend(field(*block, attribute));
            }
            continue;
        };
        let mut told = vec![false; blocks.len()];
        for element in page.select(css) {
            let Some(at) = owner(page, element.id(), index).filter(|at| !told[*at]) else { continue };
            if let Some(value) = field(element, attribute) {
                told[at] = true;
                values[at].push(value);
            }
        }
    }
    values
}

/// What holds one body and no other, as much of it as there is.
fn around<'a>(bodies: &[ElementRef<'a>]) -> Vec<ElementRef<'a>> {
    let mut held: HashMap<NodeId, usize> = HashMap::new();
    for body in bodies {
        // A body may hold another one.
        *held.entry(body.id()).or_default() += 1;
        for above in body.ancestors() {
            *held.entry(above.id()).or_default() += 1;
        }
    }
    let grow = |body: &ElementRef<'a>| {
        let alone = |id: NodeId| held.get(&id) == Some(&1);
        let holds =
            body.ancestors().filter_map(ElementRef::wrap).take_while(|e| alone(e.id()) && e.value().name() != "body");
        holds.last().unwrap_or(*body)
    };
    bodies.iter().map(grow).collect()
}

/// The last run of digits in `text`.
pub(super) fn last_number(text: &str) -> Option<String> {
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let start = text[..end].rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    let start = text.ceil_char_boundary(start);
    Some(text[start..end].to_owned())
}

/// A name without the marks that skins set around it.
pub(super) fn tidy_name(name: &str) -> &str {
    name.trim().trim_start_matches('@').trim_end_matches([':', ',']).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_is_the_post() {
        for (text, want) in [
            ("post-12", Some("12")),
            ("viewtopic.php?t=3&p=45#p45", Some("45")),
            ("msg_7_quick", Some("7")),
            ("é9é", Some("9")),
            ("none", None),
        ] {
            assert_eq!(last_number(text).as_deref(), want, "{text}");
        }
    }
}
