//! Saved replies of Stack Exchange's API: `{items: […], has_more, …}` of questions, answers or comments (FORMATS d7).

use std::io::BufRead;

use super::shape::Shape;
use super::values::{each_value, items, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::stack_exchange::{Site, item};

/// A reply of the API.
pub(super) struct StackReply;

/// Questions out of such replies: an array, or one a line.
pub(super) struct StackItems;

/// Whether what stands at `at` is a question, an answer or a comment of the API.
fn is_item(shape: &Shape, at: &str) -> bool {
    let has = |key: &str| shape.has(&format!("{at}{key}"));
    let named = has("question_id") || has("answer_id") || (has("comment_id") && has("post_id"));
    named && has("creation_date") && has("owner")
}

impl Format for StackReply {
    fn name(&self) -> &'static str {
        "Stack Exchange API (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let empty = !shape.paths().any(|path| path.starts_with("items[]."));
        shape.has("items[]") && (is_item(&shape, "items[].") || (empty && shape.all("", &["has_more", "quota_max"])))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let site = Site::of_folder(ctx, place.folder().as_deref());
        each_value(items(input, &["items"]), move |value| item(ctx, &site, value))
    }
}

impl Format for StackItems {
    fn name(&self) -> &'static str {
        "Stack Exchange API items (JSON lines)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        is_item(&shape, "") || is_item(&shape, "[].")
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let site = Site::of_folder(ctx, place.folder().as_deref());
        each_value(values(input), move |value| item(ctx, &site, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};
    use crate::collect::wire::Record;

    #[test]
    fn a_reply_is_read_with_all_below_its_questions() {
        let text = r#"{"items":[{"question_id":1,"title":"Why &quot;drips&quot;","body":"<p>It drips.</p>","creation_date":1772366400,"link":"https://pumps.example/questions/1/why","owner":{"user_id":7,"display_name":"ann"},
            "comments":[{"comment_id":5,"post_id":1,"body_markdown":"a &lt; b","creation_date":1772366500,"owner":{"user_id":8}}],
            "answers":[{"answer_id":2,"question_id":1,"body":"<p>Seal it.</p>","creation_date":1772366600,"last_edit_date":1772366700,"owner":{"display_name":"gone"},"comments":[{"comment_id":6,"post_id":2,"body":"thx","creation_date":1,"owner":{}}]}]},
            {"question_id":3,"title":"t","creation_date":1,"owner":{},"link":"https://pumps.example/q"},{"x":1}],"has_more":false,"quota_max":300}"#;
        assert!(StackReply.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))));
        let found = read_text(&StackReply, text, "saved/x.json");
        let posts: Vec<_> =
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p) } else { None }).collect();
        let told: Vec<_> = posts.iter().map(|p| (p.id.as_str(), p.text.as_str())).collect();
        assert_eq!(
            told,
            [
                ("stack_exchange:pumps.example:1", "Why \"drips\"\n\nIt drips."),
                ("stack_exchange:pumps.example:c5", "a < b"),
                ("stack_exchange:pumps.example:2", "Seal it."),
                ("stack_exchange:pumps.example:c6", "thx"),
            ]
        );
        assert!(posts.iter().all(|p| p.thread == posts[0].thread));
        assert_eq!(posts[3].parent.as_ref(), Some(&posts[2].id));
        assert_eq!(
            reasons(&found),
            ["without body (ask the API with filter=withbody)", "neither a question, an answer nor a comment"]
        );
    }
}
