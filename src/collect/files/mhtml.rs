//! A page that a browser saved as one file (MHTML): a mail whose first part of HTML is the page.

use std::io::{BufRead, Cursor, Read as _};

use mail_parser::MessageParser;

use super::page::ForumPage;
use super::{BadRecord, Format, MAX_RECORD_BYTES, Place, Records};
use crate::collect::Context;

/// The format.
pub(super) struct SavedPage;

/// Pictures and styles lie in the file with the page.
const MOST: u64 = 8 * MAX_RECORD_BYTES as u64;

impl Format for SavedPage {
    fn name(&self) -> &'static str {
        "page saved as one file (MHTML)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let text = String::from_utf8_lossy(&head[..head.len().min(4 << 10)]).to_ascii_lowercase();
        let headers = text.trim_start().replace("\r\n", "\n");
        let headers = headers.split("\n\n").next().unwrap_or_default();
        headers.starts_with("from: <saved by") || headers.contains("\nsnapshot-content-location:")
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let refused = |reason: &str| -> Records<'a> { Box::new(std::iter::once(Err(BadRecord::refusal(reason)))) };
        let mut bytes = Vec::new();
        if let Err(error) = input.take(MOST + 1).read_to_end(&mut bytes) {
            return refused(&format!("could not be read: {error}"));
        }
        if bytes.len() as u64 > MOST {
            return refused("a saved page of more than 128 MiB; save it as HTML only");
        }
        match MessageParser::default().parse(&bytes).and_then(|mail| Some(mail.body_html(0)?.into_owned())) {
            Some(page) => ForumPage.read(Box::new(Cursor::new(page.into_bytes())), place, ctx),
            None => refused("a saved page without HTML in it; save it as HTML only"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::read_text;
    use crate::collect::wire::Record;

    #[test]
    fn a_page_saved_as_one_file_is_read() {
        let page = r#"<html id="XF"><body><h1 class="p-title-value">Valve</h1><article class="message" data-author="sam" data-content="post-5" id="js-post-5"><time datetime="2026-03-01T10:00:00+0000">Mar 1</time><article class="message-body"><div class="bbWrapper">It drips all night long.</div></article></article></body></html>"#;
        let file = |page: &str| {
            format!(
                "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://f.example/threads/valve.5/\r\nSubject: Valve\r\nDate: Sun, 1 Mar 2026 10:00:00 -0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\ttype=\"text/html\";\r\n\tboundary=\"--x\"\r\n\r\n----x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n----x--\r\n",
                page.replace('=', "=3D")
            )
        };
        let text = file(page);
        assert!(SavedPage.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x.mhtml"))));
        let found = read_text(&SavedPage, &text, "x.mhtml");
        let posts: Vec<_> =
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(&p.text) } else { None }).collect();
        assert_eq!(posts, ["It drips all night long."]);
        let found = read_text(&SavedPage, &file("<html><body>Sign in</body></html>"), "x.mhtml");
        assert!(matches!(&found[..], [Err(bad)] if bad.is_refusal()), "{found:?}");
        assert!(!SavedPage.sniff(
            b"From: a@b.example\nSubject: snapshot-content-location:\n\nx",
            &Place::on_disk(std::path::Path::new("x.eml"))
        ));
    }
}
