use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::collect::files::tests::{context, read_text, reasons};

fn read(html: &str) -> Result<PageRead, String> {
    read_page(html, &Place::on_disk(Path::new("saved/board/page.html")), &context())
}

/// What a test looks at: id, date, text, parent.
fn told(records: &[Record]) -> Vec<(String, String, String, Option<String>)> {
    let post = |record: &Record| match record {
        Record::Post(p) => {
            assert!(p.author.is_some(), "no author: {p:?}");
            let date = p.written_at.map_or_else(String::new, |t| t.to_string());
            Some((p.id.to_string(), date, p.text.clone(), p.parent.as_ref().map(ToString::to_string)))
        }
        _ => None,
    };
    records.iter().filter_map(post).collect()
}

fn page(canonical: &str, attributes: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html {attributes}><head><title>Lost notes</title><link rel=\"canonical\" href=\"https://board.example{canonical}\"></head>\
         <body><div class=\"nav\"><a href=\"/login\">Log in</a></div>{body}<div class=\"footer\">Powered by something</div></body></html>"
    )
}

/// Name, address of the thread, attributes of `<html>`, what ids begin with, and the posts.
type Layout = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Two posts in each engine's layout: the first of 1 March 2024, 12:00 UTC, the second quotes it and has a signature.
const LAYOUTS: &[Layout] = &[
    (
        "XenForo",
        "/threads/lost-notes.7/",
        "id=\"XF\" data-template=\"thread_view\"",
        "forum:board.example:7#",
        r##"
            <article class="message" data-author="ann" data-content="post-70"><time datetime="2023-01-01T00:00:00+0000">joined</time>
              <header class="message-attribution"><ul class="message-attribution-main"><li><a href="/threads/lost-notes.7/post-70"><time class="u-dt" datetime="2024-03-01T13:00:00+0100">x</time></a></li></ul></header>
              <article class="message-body"><div class="bbWrapper">All gone.</div></article></article>
            <article class="message" data-author="bob" data-content="post-71">
              <header class="message-attribution"><ul class="message-attribution-main"><li><a href="/threads/lost-notes.7/post-71"><time datetime="2024-03-01T13:00:00+0100">x</time></a></li></ul></header>
              <article class="message-body"><div class="bbWrapper"><blockquote class="bbCodeBlock bbCodeBlock--quote" data-source="post: 70">All gone.</blockquote>Same here.</div></article>
              <aside class="message-signature"><div class="bbWrapper">Yours, bob</div></aside></article>"##,
    ),
    (
        "XenForo 1",
        "/threads/lost-notes.7/",
        "id=\"XenForo\"",
        "forum:board.example:7#",
        r##"
            <ol id="messageList"><li class="message" id="post-70" data-author="ann"><div class="messageContent"><article><blockquote class="messageText">All gone.<div class="messageTextEndMarker">&nbsp;</div></blockquote></article></div>
              <div class="messageMeta"><a href="threads/lost-notes.7/#post-70" class="datePermalink"><abbr class="DateTime" data-time="1709294400">Mar 1, 2024</abbr></a></div></li>
            <li class="message" id="post-71" data-author="bob"><div class="messageContent"><article><blockquote class="messageText"><div class="bbCodeBlock bbCodeQuote"><aside><div class="attribution type">ann said: <a href="goto/post?id=70#post-70">up</a></div><blockquote>All gone.</blockquote></aside></div>Same here.</blockquote></article></div>
              <div class="signature"><blockquote>Yours, bob</blockquote></div><div class="messageMeta"><a class="datePermalink" href="threads/lost-notes.7/#post-71"><span class="DateTime" title="Mar 1, 2024 at 12:00 PM">Mar 1, 2024</span></a></div></li></ol>"##,
    ),
    (
        "phpBB",
        "/viewtopic.php?t=7",
        "",
        "forum:board.example:7#",
        r##"
            <div id="p70" class="post bg2"><dl class="postprofile"><dt><a href="./memberlist.php?u=1" class="username">ann</a></dt><dd>Joined: Sun Dec 17, 2017 11:18 am</dd></dl>
              <div class="postbody"><h3><a href="#p70">Lost notes</a></h3><p class="author"><a href="./viewtopic.php?p=70#p70">x</a> by <a class="username" href="#">ann</a> » Fri Mar 01, 2024 12:00 pm</p><div class="content">All gone.</div></div></div>
            <div id="p71" class="post bg1"><dl class="postprofile"><dt><a href="./memberlist.php?u=2" class="username-coloured">bob</a></dt></dl>
              <div class="postbody"><p class="author"><a href="./viewtopic.php?p=71#p71">x</a><time datetime="2024-03-01T12:00:00+00:00">Fri</time></p>
              <div class="content"><blockquote><div><cite><a href="./viewtopic.php?p=70#p70">ann</a> wrote:</cite>All gone.</div></blockquote>Same here.</div><div id="sig71" class="signature">Yours, bob</div></div></div>"##,
    ),
    (
        "vBulletin 3",
        "/showthread.php?t=7",
        "",
        "forum:board.example:7#",
        r##"
            <div id="posts"><div id="edit70"><table id="post70"><tr><td class="thead"><a name="post70"><img alt="Old"></a> 1st March 2024, 12:00</td><td class="thead">#<a href="showpost.php?p=70&amp;postcount=1" id="postcount70">1</a></td></tr>
              <tr><td><div id="postmenu_70"><a class="bigusername" href="member.php?u=1">ann</a></div><div class="smallfont">Join Date: Mar 2016</div></td><td><div id="post_message_70">All gone.</div></td></tr></table></div>
            <div id="edit71"><table id="post71"><tr><td class="thead"><a name="post71"></a> 03-01-2024, 12:00 PM</td></tr><tr><td><a class="bigusername" href="member.php?u=2">bob</a></td>
              <td><div id="post_message_71"><div style="margin:20px"><div class="smallfont">Quote:</div><table><tr><td class="alt2" style="border:1px inset"><div>Originally Posted by <b>ann</b> <a href="showthread.php?p=70#post70" rel="nofollow"><img class="inlineimg" alt="View Post"></a></div><div>All gone.</div></td></tr></table></div>Same here.</div></td></tr></table></div></div>"##,
    ),
    (
        "vBulletin 4",
        "/showthread.php?t=7",
        "",
        "forum:board.example:7#",
        r##"
            <ol id="posts"><li class="postbit postcontainer" id="post_70"><span class="postdate"><span class="date">03-01-2024,&nbsp;<span class="time">12:00 PM</span></span></span><a class="postcounter" href="showthread.php?t=7&amp;p=70#post70">#1</a>
              <div class="username_container"><a class="username" href="member.php?u=1">ann</a></div><div class="content"><div id="post_message_70"><blockquote class="postcontent restore">All gone.</blockquote></div></div></li>
            <li class="postbit postcontainer" id="post_71"><span class="postdate"><span class="date">03-01-2024, <span class="time">12:00 PM</span></span></span><div class="username_container"><a class="username" href="member.php?u=2">bob</a></div>
              <div id="post_message_71"><blockquote class="postcontent restore"><div class="bbcode_container"><div class="bbcode_quote"><div class="bbcode_postedby">Originally Posted by ann <a href="showthread.php?p=70#post70">x</a></div><div class="message">All gone.</div></div></div>Same here.</blockquote></div><blockquote class="signature">Yours, bob</blockquote></li></ol>"##,
    ),
    (
        "vBulletin 5",
        "/forum/help/7-lost-notes",
        "",
        "forum:board.example:7#",
        r##"
            <ul><li class="b-post" data-node-id="70"><div class="b-userinfo"><span itemprop="name">ann</span></div><time itemprop="dateCreated" datetime="2024-03-01T12:00:00">x</time><div class="js-post__content-text" itemprop="text">All gone.</div></li>
            <li class="b-post" data-node-id="71"><div class="b-userinfo"><span itemprop="name">bob</span></div><time itemprop="dateCreated" datetime="2024-03-01T12:00:00">x</time><div class="js-post__content-text"><div class="bbcode_container"><div class="bbcode_quote"><div class="bbcode_postedby"><a href="/forum/7?p=70#post70">x</a></div>All gone.</div></div>Same here.</div></li></ul>"##,
    ),
    (
        "SMF",
        "/index.php?topic=7.0",
        "",
        "forum:board.example:7#",
        r##"
            <form id="quickModForm"><div class="post_wrapper"><div class="poster"><h4><a href="index.php?action=profile;u=1">ann</a></h4></div><div class="postarea"><div class="keyinfo"><h5 id="subject_70"><a href="index.php?topic=7.msg70#msg70">Lost</a></h5><div class="smalltext">&#171; <strong>on:</strong> March 01, 2024, 12:00:00 PM &#187;</div></div>
              <div class="post"><div class="inner" id="msg_70">All gone.</div></div></div></div>
            <div class="post_wrapper"><div class="poster"><h4><a href="index.php?action=profile;u=2">bob</a></h4></div><div class="keyinfo"><div class="smalltext">&#171; <strong>Antwort #1 am:</strong> 01. M&auml;rz 2024, 12:00:00 &#187;</div></div>
              <div class="post"><div class="inner" id="msg_71"><div class="quoteheader"><a href="index.php?topic=7.msg70#msg70">Zitat von: ann</a></div><blockquote class="bbc_standard_quote">All gone.</blockquote>Same here.</div></div><div class="signature">Yours, bob</div></div></form>"##,
    ),
    (
        "SMF 1",
        "/index.php?topic=7.0",
        "",
        "forum:board.example:7#",
        r##"
            <form id="quickModForm"><table><tr><td class="windowbg"><table><tr><td><b><a href="index.php?action=profile;u=1">ann</a></b></td><td><div id="subject_70"><a href="index.php?topic=7.msg70#msg70">Lost</a></div><div class="smalltext">&#171; on: March 01, 2024, 12:00:00 PM &#187;</div><div class="post">All gone.</div></td></tr></table></td></tr>
            <tr><td class="windowbg2"><table><tr><td><b><a href="index.php?action=profile;u=2">bob</a></b></td><td><div id="subject_71"><a href="index.php?topic=7.msg71#msg71">Re</a></div><div class="smalltext">&#171; Reply #1 on: March 01, 2024, 12:00:00 PM &#187;</div><div class="post"><div class="quoteheader"><a href="index.php?topic=7.msg70#msg70">Quote from: ann</a></div><div class="quote">All gone.</div>Same here.</div></td></tr></table></td></tr></table></form>"##,
    ),
    (
        "MyBB",
        "/thread-7.html",
        "",
        "forum:board.example:7#",
        r##"
            <div id="posts"><div class="post" id="post_70"><div class="post_author"><div class="author_information"><span class="largetext"><a href="user-1.html">ann</a></span></div></div><div class="post_head"><a href="thread-7-post-70.html#pid70">#1</a><span class="post_date">2024-03-01, 12:00 PM</span></div><div class="post_body" id="pid_70">All gone.</div></div>
            <div class="post" id="post_71"><div class="author_information"><span class="largetext"><a href="user-2.html">bob</a></span></div><span class="post_date">2024-03-01, 12:00 PM</span><div class="post_body" id="pid_71"><blockquote class="mycode_quote"><cite>ann Wrote: <a class="quick_jump" href="thread-7-post-70.html#pid70"></a></cite>All gone.</blockquote>Same here.</div><div class="signature">Yours, bob</div></div></div>"##,
    ),
    (
        "Invision",
        "/topic/7-lost-notes/",
        "",
        "forum:board.example:7#",
        r##"
            <article id="elComment_70" class="ipsComment"><aside class="ipsComment_author cAuthorPane"><h3 class="cAuthorPane_author"><a href="/profile/1-ann/">ann</a></h3></aside><div data-commentid="70"><div class="ipsComment_meta">Posted <time datetime="2024-03-01T12:00:00Z">x</time></div><div data-role="commentContent"><p>All gone.</p></div></div></article>
            <article id="elComment_71" class="ipsComment"><aside class="cAuthorPane"><h3 class="cAuthorPane_author">bob</h3></aside><div data-commentid="71"><div class="ipsComment_meta"><time datetime="2024-03-01T12:00:00Z">x</time></div><div data-role="commentContent"><blockquote class="ipsQuote" data-ipsquote-contentcommentid="70"><div class="ipsQuote_citation">ann said:</div>All gone.</blockquote><p>Same here.</p></div><div data-role="memberSignature">Yours, bob</div></div></article>"##,
    ),
    (
        "NodeBB",
        "/topic/7/lost-notes",
        "",
        "forum:board.example:7#",
        r##"
            <ul component="topic"><li component="post" data-pid="70" data-index="0" data-timestamp="1709294400000" data-username="ann"><div component="post/content"><p>All gone.</p></div></li>
            <li component="post" data-pid="71" data-timestamp="1709294400000" data-username="bob"><a component="post/parent" data-topid="70">ann</a><div component="post/content"><blockquote>All gone.</blockquote><p>Same here.</p></div><div component="post/signature">Yours, bob</div></li></ul>"##,
    ),
    (
        "Flarum",
        "/d/7-lost-notes",
        "",
        "forum:board.example:7#",
        r##"
            <noscript id="flarum-content"></noscript><script id="flarum-json-payload" type="application/json">{"apiDocument":{"data":{"type":"discussions","id":"7"},"included":[
              {"type":"users","id":"1","attributes":{"username":"ann"}},{"type":"users","id":"2","attributes":{"username":"bob"}},
              {"type":"posts","id":"71","attributes":{"number":2,"createdAt":"2024-03-01T12:00:00+00:00","contentType":"comment","contentHtml":"<blockquote>All gone.</blockquote><p>Same here.</p>"},"relationships":{"user":{"data":{"id":"2"}}}},
              {"type":"posts","id":"70","attributes":{"number":1,"createdAt":"2024-03-01T12:00:00+00:00","contentType":"comment","contentHtml":"<p>All gone.</p>"},"relationships":{"user":{"data":{"id":"1"}}}}]}}</script>"##,
    ),
    (
        "Vanilla",
        "/discussion/7/lost-notes",
        "",
        "forum:board.example:7#",
        r##"
            <div id="Discussion_70" class="Item ItemDiscussion"><span class="Author"><a class="Username" href="/profile/ann">ann</a></span><span class="DateCreated"><time datetime="2024-03-01T12:00:00+00:00">x</time></span><div class="Message userContent">All gone.</div></div>
            <ul><li class="Item ItemComment" id="Comment_71"><span class="Author"><a class="Username" href="/profile/bob">bob</a></span><span class="DateCreated"><a class="Permalink" href="/discussion/comment/71/#Comment_71"><time datetime="2024-03-01T12:00:00+00:00">x</time></a></span><div class="Message"><blockquote class="Quote">All gone.</blockquote>Same here.</div><div class="UserSignature">Yours, bob</div></li></ul>"##,
    ),
    (
        "Khoros",
        "/t5/help/lost-notes/td-p/70",
        "",
        "forum:board.example:70#",
        r##"
            <div class="lia-message-view-wrapper lia-message-view-display" data-lia-message-uid="70"><a class="lia-user-name-link" href="/t5/user/viewprofilepage/user-id/1">ann</a><span class="DateTime"><span class="local-date">&#x200e;2024-03-01</span> <span class="local-time">12:00 PM</span></span><div class="lia-message-body-content"><p>All gone.</p></div></div>
            <div class="lia-message-view-wrapper" data-lia-message-uid="71"><a class="lia-user-name-link" href="/u/2">bob</a><span class="DateTime"><span class="local-friendly-date" title="&#x200e;2024-03-01 12:00 PM">a year ago</span></span><div class="lia-message-body-content"><blockquote>All gone.</blockquote><p>Same here.</p></div><div class="lia-message-signature">Yours, bob</div></div>"##,
    ),
    (
        "Stack Exchange",
        "/questions/7/lost-notes",
        "",
        "stack_exchange:board.example:",
        r##"
            <div id="question" class="question" data-questionid="70"><div class="js-post-body" itemprop="text"><p>All gone.</p></div><div class="post-signature owner"><div class="user-action-time">asked <span title="2024-03-01 12:00:00Z" class="relativetime">x</span></div><div class="user-details"><a href="/users/1/ann">ann</a></div></div></div>
            <div id="answer-71" class="answer" data-answerid="71"><div class="js-post-body"><blockquote>All gone.</blockquote><p>Same here.</p></div><div class="post-signature"><div class="user-action-time">answered <span title="2024-03-01 12:00:00Z" class="relativetime">x</span></div><div class="user-details"><a href="/users/2/bob">bob</a></div></div></div>"##,
    ),
];

#[test]
fn pages_are_read_by_the_layout_of_their_engine() {
    for (engine, address, attributes, prefix, body) in LAYOUTS {
        let read = read(&page(address, attributes, body)).unwrap_or_else(|reason| panic!("{engine}: {reason}"));
        assert_eq!(read.by, *engine);
        let posts = told(&read.records);
        assert_eq!(posts.len(), 2, "{engine}: {posts:?}");
        for (post, text) in posts.iter().zip(["All gone.", "Same here."]) {
            assert!(post.0.starts_with(prefix), "{engine}: {post:?}");
            assert_eq!((post.1.as_str(), post.2.as_str()), ("2024-03-01T12:00:00Z", text), "{engine}");
        }
        let [Record::Thread(thread), Record::Post(one), Record::Post(two)] = &read.records[..] else {
            panic!("{engine}")
        };
        assert!(!thread.title.is_empty(), "{engine}");
        assert!(two.flags.quoted && !one.flags.quoted, "{engine}");
        assert!(one.id.as_str().ends_with("70") && two.id.as_str().ends_with("71"), "{engine}: {} {}", one.id, two.id);
        assert!(one.url.as_deref().is_some_and(|u| u.starts_with("https://board.example/")), "{engine}: {:?}", one.url);
        if !["Flarum", "Vanilla", "Khoros"].contains(engine) {
            assert_eq!(two.parent.as_ref(), Some(&one.id), "{engine}");
        }
    }
}

const CRAWLER: &str = r##"<div class="topic-body crawler-post" id="post_1"><span class="creator" itemprop="author"><a href="/u/ann"><span itemprop="name">ann</span></a></span><time datetime="2024-03-01T12:00:00Z" class="post-time">x</time><span itemprop="position">1</span>
  <div class="post" itemprop="text"><p>All gone.</p></div></div>
  <div class="topic-body crawler-post" id="post_2"><span class="creator" itemprop="author"><span itemprop="name">bob</span></span><time datetime="2024-03-01T12:00:00Z" class="post-time">x</time><span itemprop="position">2</span>
  <div class="post" itemprop="text"><aside class="quote"><blockquote>All gone.</blockquote></aside><p>Same here.</p></div></div>"##;

#[test]
fn a_discourse_topic_is_one_in_pages_of_all_kinds_and_in_json() {
    let generator = "<meta name=\"generator\" content=\"Discourse 3.4.0\">";
    let json = r#"{"id":7,"title":"Lost notes","slug":"lost-notes","post_stream":{"posts":[{"id":700,"post_number":1,"topic_id":7,"username":"ann","created_at":"2024-03-01T12:00:00Z","cooked":"<p>All gone.</p>"},{"id":701,"post_number":2,"topic_id":7,"username":"bob","created_at":"2024-03-01T12:00:00Z","cooked":"<aside class=\"quote\"><blockquote>All gone.</blockquote></aside><p>Same here.</p>"}]}}"#;
    let all = serde_json::json!({"siteSettings": "{}", "topic_7": json}).to_string();
    let carried = format!(
        "<div id=\"data-preloaded\" data-preloaded=\"{}\"></div>",
        all.replace('&', "&amp;").replace('"', "&quot;")
    );
    let rendered = r##"<div class="topic-post"><article id="post_1" data-post-id="700"><div class="names"><a data-user-card="ann">ann</a></div><a class="post-date" href="/t/lost-notes/7"><span class="relative-date" data-time="1709294400000">Mar 1</span></a><div class="cooked"><p>All gone.</p></div></article></div>
      <div class="topic-post"><article id="post_2" data-post-id="701"><div class="names"><a data-user-card="bob">bob</a></div><a class="post-date"><span class="relative-date" data-time="1709294400000">Mar 1</span></a><div class="cooked"><aside class="quote"><blockquote>All gone.</blockquote></aside><p>Same here.</p></div></article></div>"##;
    let hidden = format!("<noscript>{CRAWLER}{}</noscript>", "<!-- -->".repeat(60));
    let pages = [CRAWLER.to_owned(), carried, rendered.to_owned(), hidden];
    let read: Vec<_> = pages
        .iter()
        .map(|body| read(&page("/t/lost-notes/7", "", &format!("{generator}{body}"))).unwrap().records)
        .collect();
    let posts = |records: &[Record]| {
        let post = |record: &Record| match record {
            Record::Post(post) => Some(post.clone()),
            _ => None,
        };
        records.iter().filter_map(post).collect::<Vec<_>>()
    };
    let first = posts(&read[0]);
    assert_eq!((first[0].id.as_str(), first[1].text.as_str()), ("discourse:board.example:7#1", "Same here."));
    for (at, other) in read.iter().enumerate() {
        let other = posts(other);
        for (a, b) in first.iter().zip(&other) {
            let parts =
                |p: &Post| (p.id.clone(), p.thread.clone(), p.author.clone(), p.written_at, p.text.clone(), p.flags);
            assert_eq!(parts(a), parts(b), "{at}");
        }
        assert_eq!(other.len(), 2, "{at}");
    }
}

#[test]
fn what_a_page_says_of_itself_is_read() {
    let linked = page(
        "/x/lost-notes",
        "",
        r##"<script type="application/ld+json">{"@context":"https://schema.org","@type":"DiscussionForumPosting","headline":"Lost notes","text":"All gone.","author":{"@type":"Person","name":"ann"},"datePublished":"2024-03-01T12:00:00Z","url":"https://board.example/x/lost-notes#m1",
      "comment":[{"@type":"Comment","text":"Same here.","author":{"name":"bob"},"datePublished":"2024-03-01T12:00:00Z","url":"https://board.example/x/lost-notes#m2","comment":{"@type":"Comment","text":"Me too.","author":{"name":"eve"},"datePublished":"2024-03-01T12:00:00Z"}}]}</script>"##,
    );
    let read_linked = read(&linked).unwrap();
    assert_eq!(read_linked.by, "schema.org JSON-LD");
    let posts = told(&read_linked.records);
    assert_eq!(posts.iter().map(|p| p.2.as_str()).collect::<Vec<_>>(), ["All gone.", "Same here.", "Me too."]);
    assert_eq!(posts[2].3.as_ref(), Some(&posts[1].0));
    assert_eq!(posts[1].0, "forum:board.example:x/lost-notes#2");

    let marked = page(
        "/q/9",
        "",
        r##"<div itemscope itemtype="https://schema.org/QAPage"><div itemprop="mainEntity" itemscope itemtype="https://schema.org/Question" id="q9"><h1 itemprop="name">Lost notes</h1>
      <div itemprop="text">All gone.</div><span itemprop="author" itemscope itemtype="https://schema.org/Person"><b itemprop="name">ann</b></span><time itemprop="dateCreated" datetime="2024-03-01T12:00:00Z">x</time>
      <div itemprop="suggestedAnswer" itemscope itemtype="https://schema.org/Answer" id="a10"><div itemprop="text"><blockquote>All gone.</blockquote>Same here.</div><span itemprop="author">bob</span><time itemprop="dateCreated" datetime="2024-03-01T12:00:00Z">x</time></div></div></div>"##,
    );
    let read_marked = read(&marked).unwrap();
    assert_eq!(read_marked.by, "schema.org microdata");
    let posts = told(&read_marked.records);
    assert_eq!((posts[0].2.as_str(), posts[1].2.as_str()), ("All gone.", "Same here."));
    assert_eq!(posts[1].3.as_ref(), Some(&posts[0].0));
}

#[test]
fn an_unknown_engine_is_read_by_its_shape() {
    let post = |n: u32, who: &str, text: &str| {
        format!(
            "<section class=\"entry row{}\" id=\"m{n}\"><div class=\"head\"><a class=\"who\" href=\"/members/{who}\">{who}</a> <span class=\"when\">{n} March 2024, 12:00</span></div>\
                 <div class=\"words\"><p>{text}</p></div><div class=\"signature\">Yours, {who}</div><ul class=\"actions\"><li><a href=\"#\">Reply</a></li></ul></section>",
            n % 2
        )
    };
    let body = format!(
        "<h1>Lost notes</h1><main>{}{}{}</main>",
        post(1, "ann", "All of the notes of last week are gone from the list."),
        post(2, "bob", "The same happened here on the second of the month."),
        post(3, "eve", "We went back to a card index, and nobody wants it any more.")
    );
    let read_shape = read(&page("/forum/lost-notes", "", &body)).unwrap();
    assert_eq!(read_shape.by, "structure");
    let posts = told(&read_shape.records);
    assert_eq!(posts.len(), 3, "{posts:?}");
    assert_eq!(
        posts[1],
        (
            "forum:board.example:forum/lost-notes#m2".to_owned(),
            "2024-03-02T12:00:00Z".to_owned(),
            "The same happened here on the second of the month.".to_owned(),
            None
        )
    );
}

/// The opening has no date on the page, and the page's own description gives no more than its beginning.
#[test]
fn an_opening_that_is_described_in_part_is_read_whole() {
    let all = "All of the notes of last week are gone from the list, and nobody here has touched it since the update came in on Monday night. \
               We write them on cards again.";
    let described = format!(
        r#"<script type="application/ld+json">{{"@context":"https://schema.org","@type":"DiscussionForumPosting","headline":"Lost notes","text":"{}...","author":{{"@type":"Person","name":"ann"}},"datePublished":"2024-03-01T12:00:00Z"}}</script>"#,
        &all[..131]
    );
    let reply = |n: u32, who: &str, text: &str| {
        format!(
            "<section class=\"entry\" id=\"m{n}\"><a href=\"/members/{who}\">{who}</a> <span class=\"when\">{n} March 2024, 12:00</span><div class=\"words\"><p>{text}</p></div></section>"
        )
    };
    let replies = [
        (2, "bob", "The same happened here on the second of the month."),
        (3, "eve", "We went back to paper for all of our notes."),
    ];
    let replies = replies.map(|(n, who, text)| reply(n, who, text)).concat();
    let body = format!(
        "{described}<div class=\"top\"><h1>Lost notes</h1><div class=\"start\"><p>{all}</p></div></div><main>{replies}</main>"
    );
    let read = read(&page("/forum/lost-notes", "", &body)).unwrap();
    let texts = told(&read.records).into_iter().map(|(_, _, text, _)| text).collect::<Vec<_>>();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].ends_with(all), "{}", texts[0]);
}

/// Answers whose class alone says that `3y` is a date, and of which a page shows the beginning and holds all.
#[test]
fn answers_that_are_shown_in_part_are_read_once_and_whole() {
    let answer = |name: &str, age: &str, all: &str| {
        let shown = all.split_inclusive(' ').take(20).collect::<String>();
        format!(
            "<div class=\"box\"><div><a class=\"link\" href=\"/profile/{name}\">{name}</a> · <a class=\"answer_timestamp\" href=\"/a/{name}\">{age}</a></div>\
             <div class=\"words\"><div class=\"cut\"><p>{shown}</p><button>Continue</button></div><div class=\"whole\"><p>{all}</p></div></div></div>"
        )
    };
    let all = |name: &str| {
        format!(
            "The boiler went out again in the night and {name} had to light it by hand with a match, twice. Nobody came to mend it."
        )
    };
    let body =
        ["ann", "bob", "cat"].map(|name| answer(name, if name == "bob" { "Updated 7mo" } else { "3y" }, &all(name)));
    let read = read(&page("/Why-does-my-boiler-go-out-questions", "", &body.concat())).unwrap();
    assert_eq!(read.by, "structure");
    let texts = told(&read.records).into_iter().map(|(_, date, text, _)| (date, text)).collect::<Vec<_>>();
    assert_eq!(texts, ["ann", "bob", "cat"].map(|name| (String::new(), all(name))));
}

#[test]
fn what_is_no_thread_is_refused_with_its_reason() {
    let refused = |html: &str| read(html).err().unwrap_or_default();
    let list = page("/forums/help.3/", "id=\"XF\"", "<div class=\"structItem structItem--thread\"><a href=\"/threads/lost-notes.7/\">Lost notes</a><a class=\"username\" href=\"/members/ann.1/\">ann</a><time datetime=\"2024-03-01T12:00:00Z\">x</time></div>".repeat(3).as_str());
    assert!(refused(&list).contains("a page of a forum (XenForo) that is no thread"), "{}", refused(&list));
    let hits = page(
        "/search.php?keywords=notes",
        "",
        "<div class=\"search post\" id=\"p70\"><dl class=\"postprofile\"><dt class=\"author\">by <a class=\"username\">ann</a></dt></dl><div class=\"postbody\"><a href=\"viewtopic.php?p=70#p70\">x</a><div class=\"content\">All gone.</div></div></div>",
    );
    assert!(refused(&hits).contains("lists threads or hits"), "{}", refused(&hits));
    let teasers = page("/news", "", &(1..4).map(|n| format!("<div class=\"card\"><h2><a href=\"/news/{n}\">Title {n}</a></h2><a href=\"/author/ann\">ann</a> <time datetime=\"2024-03-01\">x</time><p>Words of the beginning of an article.</p></div>")).collect::<String>());
    assert!(refused(&teasers).contains("no thread of a forum"), "{}", refused(&teasers));
    let article = page(
        "/news/1",
        "",
        "<script type=\"application/ld+json\">{\"@type\":\"NewsArticle\",\"articleBody\":\"x\"}</script><article><p>Words.</p></article>",
    );
    assert!(refused(&article).contains("NewsArticle"), "{}", refused(&article));
    let found = read_text(&ForumPage, "<!doctype html><p>x</p>", "x.html");
    assert!(reasons(&found)[0].contains("no posts were found"), "{found:?}");
}

#[test]
fn deletions_on_pages_of_reddit_are_removals() {
    let thing = |id: &str, words: &str| {
        format!(
            "<div class=\"thing comment\" data-fullname=\"t1_{id}\" data-author=\"[deleted]\" data-timestamp=\"1709294400000\"><div class=\"usertext-body\"><div class=\"md\"><p>{words}</p></div></div></div>"
        )
    };
    let body = format!("{}{}{}", thing("a", "All gone."), thing("b", "[deleted]"), thing("c", "[removed]"));
    let records = read(&page("/r/pumps/comments/7/lost/", "", &body)).unwrap().records;
    let removed: Vec<&str> =
        records.iter().filter_map(|r| if let Record::Removed(id) = r { Some(id.as_str()) } else { None }).collect();
    assert_eq!(removed, ["reddit:t1_b", "reddit:t1_c"]);
    assert_eq!(records.iter().filter(|r| matches!(r, Record::Post(_))).count(), 1);
}

#[test]
fn a_submission_on_an_old_page_of_reddit_is_title_and_words() {
    let read = |words: &str| {
        let body = format!(
            "<div class=\"thing link\" data-fullname=\"t3_7\" data-author=\"ann\" data-timestamp=\"1709294400000\"><p class=\"title\"><a class=\"title may-blank\" href=\"x\">Lost notes</a></p>{words}</div>"
        );
        read(&page("/r/pumps/comments/7/lost/", "", &body)).unwrap().records
    };
    let words = |words: &str| format!("<div class=\"usertext-body\"><div class=\"md\"><p>{words}</p></div></div>");
    assert_eq!(told(&read(&words("All gone.")))[0].2, "Lost notes\n\nAll gone.");
    assert_eq!(told(&read(""))[0].2, "Lost notes");
    assert!(matches!(&read(&words("[removed]"))[1], Record::Removed(id) if id.as_str() == "reddit:t3_7"));
}

/// A story whose comments have the links to those around that a page has.
#[test]
fn a_page_of_hacker_news_tells_what_is_answered_and_cuts_quotes() {
    let comment = |id: u32, indent: u32, navs: &str, words: &str| {
        let words = if words.is_empty() { String::new() } else { format!("<div class=\"commtext c00\">{words}</div>") };
        format!(
            "<tr class=\"athing comtr\" id=\"{id}\"><td><table><tr><td class=\"ind\" indent=\"{indent}\"><img src=\"s.gif\" width=\"{}\"></td><td><span class=\"comhead\"><a class=\"hnuser\">bob</a> <span class=\"age\" title=\"2024-03-01T12:00:00 1709294400\"><a href=\"item?id={id}\">x</a></span> <span class=\"navs\">{navs}</span></span><div class=\"comment\">{words}<div class=\"reply\"><a href=\"reply?id={id}\">reply</a></div></div></td></tr></table></td></tr>",
            indent * 40
        )
    };
    let comments = [
        comment(11, 0, "<a href=\"#15\">next</a>", "One.<p>&gt; his words<p>Mine."),
        comment(12, 1, "<a href=\"#11\">parent</a> <a href=\"#14\">next</a>", ""),
        comment(13, 2, "<a href=\"#11\">root</a> <a href=\"#12\">parent</a>", "Two."),
        comment(14, 1, "<a href=\"#11\">parent</a> <a href=\"#12\">prev</a>", "Three."),
        comment(15, 0, "<a href=\"#11\">prev</a>", "Four."),
    ];
    let body = format!(
        "<table class=\"fatitem\"><tr class=\"athing submission\" id=\"10\"><td><span class=\"titleline\"><a href=\"https://x.example\">Pumps</a></span></td></tr><tr><td class=\"subtext\"><a class=\"hnuser\">ann</a> <span class=\"age\" title=\"2024-03-01T12:00:00 1709294400\"><a href=\"item?id=10\">x</a></span></td></tr></table><table class=\"comment-tree\">{}</table>",
        comments.concat()
    );
    let records = read(&page("/item?id=10", "", &body)).unwrap().records;
    let found: Vec<_> = told(&records).into_iter().map(|(id, _, text, parent)| (id, text, parent.unwrap())).collect();
    let want = [(11, "One.\n\nMine.", 10), (13, "Two.", 12), (14, "Three.", 11), (15, "Four.", 10)];
    let want =
        want.map(|(id, text, parent)| (format!("hacker_news:{id}"), text.to_owned(), format!("hacker_news:{parent}")));
    assert_eq!(found, want);
}

#[test]
fn only_pages_of_html_are_claimed() {
    let place = Place::on_disk(Path::new("x"));
    for html in [
        "<!DOCTYPE html><p>",
        "\n<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"x\"><html>",
        "<HTML><HEAD>",
        "<!-- saved from url=(0021)https://board.example/ --><html>",
    ] {
        assert!(ForumPage.sniff(html.as_bytes(), &place), "{html}");
    }
    for other in
        ["<?xml version=\"1.0\"?><rss><channel>", "<posts><row Id=\"1\"/>", "{\"a\":\"<html>\"}", "<a> wrote", ""]
    {
        assert!(!ForumPage.sniff(other.as_bytes(), &place), "{other}");
    }
}

#[test]
fn a_page_without_an_address_is_named_by_its_file_and_saved_pages_by_theirs() {
    let body = "<div component=\"topic\"><div component=\"post\" data-pid=\"70\" data-timestamp=\"1709294400000\" data-username=\"ann\"><div component=\"post/content\">All gone.</div></div></div>";
    let records = read(&format!("<html><body>{body}</body></html>")).unwrap().records;
    assert_eq!(told(&records)[0].0, "forum:board:page#70");
    let saved = format!(
        "<!DOCTYPE html>\n<!-- saved from url=(0041)https://board.example/topic/7/lost-notes -->\n<html><body>{body}</body></html>"
    );
    assert_eq!(told(&read(&saved).unwrap().records)[0].0, "forum:board.example:7#70");
}

#[test]
fn a_page_without_an_address_has_the_one_of_its_posts() {
    let page = |page: u8, posts: [u8; 2]| {
        let [one, two] = posts.map(|post| {
            format!("<tr><td class=\"windowbg\"><a name=\"msg{post}\"></a><table><tr><td><b><a href=\"https://s.example/index.php?action=profile;u={post}\">ann</a></b></td><td><div id=\"subject_{post}\"><a href=\"https://s.example/index.php?topic=7.msg{post}#msg{post}\">Pump leak</a></div><div class=\"smalltext\">&#171; <b> on:</b> March 01, 2026, 12:00:00 pm &#187;</div><div class=\"post\">It leaks, says {post}.</div></td></tr></table></td></tr>")
        });
        let html = format!(
            "<!DOCTYPE html><html><head><title>Pump</title><script>var smf_theme_url=\"x\"; var smf_images_url=\"i\";</script></head><body><form action=\"index.php?topic=7.{page}\" id=\"quickModForm\"><table class=\"bordercolor\">{one}{two}</table></form></body></html>"
        );
        let place = format!("saved/board/topic-7-{page}.html");
        told(&read_page(&html, &Place::on_disk(Path::new(&place)), &context()).unwrap().records)
    };
    let ids = |posts: Vec<(String, String, String, Option<String>)>| posts.into_iter().map(|p| p.0).collect::<Vec<_>>();
    assert_eq!(ids(page(0, [11, 12])), ["forum:s.example:7#11", "forum:s.example:7#12"]);
    assert_eq!(ids(page(20, [31, 32])), ["forum:s.example:7#31", "forum:s.example:7#32"]);
}

#[test]
fn answers_to_a_question_without_an_id_have_it_as_parent() {
    let json = r#"{"@type":"QAPage","mainEntity":{"@type":"Question","name":"How to stop?","text":"It leaks.","dateCreated":"2026-03-01","author":{"name":"ann"},"acceptedAnswer":{"@type":"Answer","text":"Use tape.","author":{"name":"bob"},"datePublished":"2026-03-02","comment":{"@type":"Comment","text":"Which one?","author":{"name":"cid"}}},"suggestedAnswer":[{"@type":"Answer","text":"Use glue.","author":{"name":"cid"},"url":"https://qa.example/q/1#a2"}]}}"#;
    let linked = format!("<script type=\"application/ld+json\">{json}</script>");
    let scope = |kind: &str, name: &str, text: &str, more: &str| {
        format!(
            "<div itemscope itemtype=\"https://schema.org/{kind}\"><span itemprop=\"author\">{name}</span><div itemprop=\"text\">{text}</div>{more}</div>"
        )
    };
    let marked = scope(
        "Question",
        "ann",
        "It leaks.",
        &(scope("Answer", "bob", "Use tape.", "") + &scope("Answer", "cid", "Use glue.", "")),
    );
    for (body, parents) in [(linked, [false, true, false, true].as_slice()), (marked, &[false, true, true])] {
        let found = told(&read(&page("/questions/1/how", "", &body)).unwrap().records);
        let question = Some(found[0].0.clone());
        let of: Vec<bool> = found.iter().map(|post| post.3 == question).collect();
        assert_eq!(of, parents, "{found:?}");
    }
}

#[test]
fn large_and_deep_pages_end() {
    let deep = page("/x", "", &"<div class=\"post\">".repeat(200_000));
    assert!(read(&deep).unwrap_err().contains("nests"));
    let post = "<article class=\"message\" data-author=\"a\" data-content=\"post-1\"><time datetime=\"2024-03-01T12:00:00Z\">x</time><div class=\"message-body\"><div class=\"bbWrapper\">w</div></div></article>";
    assert!(read(&page("/threads/x.1/", "id=\"XF\"", &post.repeat(3000))).is_ok());
    let nested = format!(
        "{}{}",
        "<div class=\"comment\" id=\"c1\"><a href=\"/user/a\">a</a><time>2024-03-01</time>words and words ".repeat(700),
        "</div>".repeat(700)
    );
    read(&page("/forum/x", "", &nested)).ok();
}

/// Somebody pasted a post, markup and all, into another.
#[test]
fn a_body_in_a_body_is_a_post_of_its_own() {
    let body = "<table id=\"post70\"><tr><td><div id=\"post_message_70\">All gone.<p><a href=\"x\"><i id=\"post71\"><div id=\"post_message_71\">Mine too.</div></i></a></p></div></td></tr></table>";
    let records = read(&page("/showthread.php?t=7", "", body)).unwrap().records;
    assert_eq!(records.iter().filter(|r| matches!(r, Record::Post(_))).count(), 2, "{records:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_markup_makes_it_panic(html in "(<(/?)(article class=message data-content=post-1 data-author=a|div class=post id=p1|div class=content|time datetime=2024-03-01|a href=/user/a|blockquote|p|li|table|tr|td|div itemscope itemtype=x/Comment|span itemprop=text|div component=post data-pid=1|div component=post/content|noscript|script type=application/ld\\+json)>|[a-zé<>&;\"'0-9:/ .-]{0,12}){0,60}") {
        read(&format!("<html id=XF><body class=forum>{html}")).ok();
    }
}
