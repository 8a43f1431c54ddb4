//! Pages as the default templates of engines write them, with all that stands around the words: avatars, titles of members,
//! signatures, notes of edits, counts of likes. What is said in them is invented.

use std::path::Path;

use super::*;
use crate::collect::files::tests::context;

/// Who wrote a post, when, when it was edited, its words, the end of its address, and the end of its parent's id.
type Want = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

fn check(engine: &str, address: &str, body: &str, want: &[Want]) {
    let html = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>Lost notes - Board</title><link rel=\"canonical\" href=\"https://board.example{address}\"></head><body class=\"forum\">{body}</body></html>"
    );
    let read = read_page(&html, &Place::on_disk(Path::new("saved/board/page.html")), &context()).unwrap();
    assert_eq!(read.by, engine);
    let posts = read.records.iter().filter_map(|r| if let Record::Post(post) = r { Some(post) } else { None });
    let posts: Vec<&Post> = posts.collect();
    let time = |at: Option<jiff::Timestamp>| at.map_or_else(String::new, |at| at.to_string());
    let told = posts.iter().map(|p| (time(p.written_at), time(p.edited_at), p.text.as_str()));
    let wanted = want.iter().map(|w| (w.1.to_owned(), w.2.to_owned(), w.3));
    assert_eq!(told.collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{engine}");
    for (post, (author, _, _, _, url, parent)) in posts.iter().zip(want) {
        assert_eq!(post.author, context().author("forum:board.example", author), "{engine}: {author}");
        let link = post.url.as_deref().unwrap_or_default();
        assert!(link.starts_with("https://board.example/") && link.ends_with(url), "{engine}: {link}");
        let above = post.parent.as_ref().map_or("", |p| p.as_str());
        assert!(above.ends_with(parent) && above.is_empty() == parent.is_empty(), "{engine}: {above}");
    }
}

#[test]
fn vbulletin_5() {
    let post = |id: u32, name: &str, time: &str, words: &str| {
        format!(
            r##"<li data-node-id="{id}" data-node-publishdate="1709294400" class="b-post js-post js-comment-entry__parent h-restore--on-preview b-post--text h-left h-clear" itemscope itemtype="http://schema.org/Comment">
 <a id="post{id}" class="anchor"></a><meta itemprop="url" content="https://board.example/forum/help/7-lost-notes?p={id}#post{id}">
 <div class="l-row l-row__fixed--left"><div class="l-col__fixed-3 h-hide--on-preview">
  <div class="userinfo b-userinfo b-post__hide-when-deleted" itemprop="author" itemscope itemtype="http://schema.org/Person">
   <a href="https://board.example/member/1-{name}" class="b-avatar b-avatar--m"><img src="a.jpg" alt="{name}" title="{name}"></a>
   <div class="b-userinfo__details"><div class="author h-text-size--14"><strong><a href="https://board.example/member/1-{name}">{name}</a></strong></div><div class="usertitle">Senior Member</div>
    <ul class="b-userinfo__additional-info-block"><li class="b-userinfo__additional-info"><label>Join Date:</label> <span>Mar 2014</span></li><li class="b-userinfo__additional-info"><label>Posts:</label> <span>3090</span></li></ul></div></div></div>
  <div class="js-post__content-wrapper"><div class="b-post__body"><div class="b-post__content js-post__content b-post__hide-when-deleted">
   <div class="b-media"><div class="b-media__img--rev"><a class="b-post__count" href="https://board.example/forum/help/7-lost-notes?p={id}#post{id}">#1</a></div><div class="b-media__body"><div class="b-post__timestamp"><time itemprop="dateCreated" datetime="{time}">03-01-2024, 12:00 PM</time></div></div></div>
   <div class="js-post__content-text restore h-wordwrap" itemprop="text">{words}<div class="h-flex-spacer h-margin-top-16"></div><div class="post-signature restore">Always yours</div></div>
   <div class="edited h-margin-top-16">Last edited by <a href="/member/1">{name}</a>; <span class="time">03-02-2024, 01:00 PM</span>.</div></div>
  <div class="b-post__footer"><ul class="js-post-controls"><li class="b-post-control votecount"><span class="b-post-control__label"><b>12 likes</b></span></li></ul></div></div></div></div></li>"##
        )
    };
    let quote = r##"<div class="bbcode_container"><div class="bbcode_quote"><div class="quote_container"><div class="bbcode_quote_container vb-icon vb-icon-quote-large"></div><div class="bbcode_postedby">Originally posted by <strong>ann</strong> <a href="https://board.example/forum/help/7-lost-notes?p=70#post70" rel="nofollow"><img class="inlineimg" src="x" alt="View Post"></a></div><div class="message">It drips.</div></div></div></div>Mine too."##;
    let body = format!(
        r##"<h1 class="main-title js-main-title">Lost notes</h1><ul class="conversation-list list-container">{}{}</ul>"##,
        post(70, "ann", "2024-03-01T12:00:00", "It drips.<br>All night."),
        post(71, "bob", "2024-03-01T12:05:00", quote)
    );
    let want = [
        ("ann", "2024-03-01T12:00:00Z", "", "It drips.\nAll night.", "?p=70#post70", ""),
        ("bob", "2024-03-01T12:05:00Z", "", "Mine too.", "?p=71#post71", "#70"),
    ];
    check("vBulletin 5", "/forum/help/7-lost-notes", &body, &want);
}

#[test]
fn khoros() {
    let post = |id: u32, name: &str, date: &str, words: &str| {
        format!(
            r##"<div class="lia-linear-display-message-view"><div class="MessageView lia-message-view-forum-message lia-message-view-display lia-row-standard-unread lia-thread-reply" id="messageview_{id}" data-lia-message-uid="{id}"><div class="lia-quilt lia-quilt-forum-message lia-quilt-layout-one-column-message">
 <div class="lia-quilt-row lia-quilt-row-header"><div class="lia-message-author-avatar"><div class="UserAvatar lia-user-avatar"><img class="lia-user-avatar-message" title="{name}" alt="{name}" src="x"></div></div>
  <div class="lia-message-author-with-avatar"><span class="UserName lia-user-name lia-user-rank-Newbie"><img class="lia-user-rank-icon lia-user-rank-icon-left" title="Newbie" alt="Newbie" src="x"> <a class="lia-link-navigation lia-page-link lia-user-name-link" aria-label="View Profile of {name}" itemprop="url" href="https://board.example/t5/user/viewprofilepage/user-id/{id}"><span class="login-bold">{name}</span></a></span></div>
  <div class="lia-message-author-rank">Newbie</div>
  <p class="lia-message-dates lia-message-post-date lia-component-post-date-last-edited"><span class="DateTime lia-message-posted-on lia-component-common-widget-date"><span class="local-date">&#x200e;{date}</span> <span class="local-time">04:24 PM</span></span></p></div>
 <div class="lia-quilt-row lia-quilt-row-main"><div class="lia-message-subject"><div class="MessageSubject"><h2 itemprop="name" class="message-subject"><span class="lia-message-read"><a class="page-link" href="/t5/help/lost-notes/m-p/{id}">Lost notes</a></span></h2></div></div>
  <div itemprop="text" id="bodyDisplay_{id}" class="lia-message-body"><div class="lia-message-body-content">{words}</div><div class="lia-message-signature">Always yours</div></div>
  <div class="lia-rating-metoo"></div></div>
 <div class="lia-quilt-row lia-quilt-row-footer"><div class="KudosButton"><span class="MessageKudosCount">3 Kudos</span></div><a class="reply-action-link" href="#">Reply</a></div></div></div></div>"##
        )
    };
    let words = r##"<P><SPAN class="lia-unicode-emoji" title=":sad:">&#128542;</SPAN> Mine too.</P><blockquote>It drips.</blockquote><div class="lia-spoiler-container"><a class="lia-spoiler-link" href="#">Spoiler</a><div class="lia-spoiler-border"><div class="lia-spoiler-content">The seal.</div></div></div>"##;
    let body = format!(
        "<div class=\"lia-page\"><div class=\"linear-message-list message-list\">{}{}</div></div>",
        post(70, "ann", "11-28-2023", "<P>It drips.</P>"),
        post(71, "bob", "11-29-2023", words)
    );
    let want = [
        ("ann", "2023-11-28T16:24:00Z", "", "It drips.", "/m-p/70", ""),
        ("bob", "2023-11-29T16:24:00Z", "", "😞 Mine too.\n\nThe seal.", "/m-p/71", ""),
    ];
    check("Khoros", "/t5/help/lost-notes/td-p/70", &body, &want);
}

#[test]
fn bbpress() {
    let post = |id: u32, kind: &str, name: &str, date: &str, words: &str| {
        format!(
            r##"<div id="post-{id}" class="bbp-reply-header"><div class="bbp-meta"><span class="bbp-reply-post-date">{date}</span> <a href="https://board.example/topic/lost-notes/#post-{id}" class="bbp-reply-permalink">#{id}</a> <span class="bbp-admin-links"></span></div></div>
<div class="loop-item-0 user-id-1 bbp-parent-forum-5 bbp-parent-topic-70 bbp-reply-position-1 odd topic-author post-{id} {kind} type-{kind} status-publish hentry"><div class="bbp-reply-author"><a href="https://board.example/users/{name}/" title="View {name}&#039;s profile" class="bbp-author-link"><span class="bbp-author-avatar"><img alt="" src="x" class="avatar avatar-80 photo"></span><span class="bbp-author-name">{name}</span></a><div class="bbp-author-role">Participant</div></div>
 <div class="bbp-reply-content"><p>{words}</p><ul id="bbp-reply-revision-log-{id}" class="bbp-reply-revision-log"><li class="bbp-reply-revision-log-item">This reply was modified 2 years ago by <a class="bbp-author-link">{name}</a>.</li></ul></div></div>"##
        )
    };
    let loop_of = |posts: &str| {
        format!(
            "<div id=\"bbpress-forums\" class=\"bbpress-wrapper\"><h1>Lost notes</h1><ul id=\"topic-70-replies\" class=\"forums bbp-replies\"><li class=\"bbp-header\"><div class=\"bbp-reply-author\">Author</div><div class=\"bbp-reply-content\">Posts</div></li><li class=\"bbp-body\">{posts}</li></ul></div>"
        )
    };
    let one = post(70, "topic", "ann", "March 1, 2024 at 12:00 pm", "It drips.");
    let two = post(71, "reply", "bob", "March 1, 2024 at 12:05 pm", "Mine too.");
    let three = post(72, "reply", "ann", "March 2, 2024 at 1:05 am", "Thanks.");
    let want = [
        ("ann", "2024-03-01T12:00:00Z", "", "It drips.", "#post-70", ""),
        ("bob", "2024-03-01T12:05:00Z", "", "Mine too.", "#post-71", ""),
        ("ann", "2024-03-02T01:05:00Z", "", "Thanks.", "#post-72", ""),
    ];
    check("bbPress", "/topic/lost-notes/", &loop_of(&format!("{one}{two}{three}")), &want);
    let nested = format!(
        "{one}<ul class=\"bbp-threaded-replies\"><li>{two}<ul class=\"bbp-threaded-replies\"><li>{three}</li></ul></li></ul>"
    );
    check("bbPress", "/topic/lost-notes/", &loop_of(&nested), &want);
}

#[test]
fn smf_1() {
    let post = |id: u32, name: &str, on: &str, words: &str| {
        format!(
            r##"<tr><td style="padding: 1px 1px 0 1px;"><a name="msg{id}"></a><table width="100%" cellpadding="3" cellspacing="0" border="0"><tr><td class="windowbg"><table width="100%" cellpadding="5" cellspacing="0" style="table-layout: fixed;"><tr>
 <td valign="top" width="16%" rowspan="2" style="overflow: hidden;"><b><a href="https://board.example/index.php?action=profile;u=1" title="View the profile of {name}">{name}</a></b><div class="smalltext">Full Member<br><img src="x" alt="*" border="0"><br><img src="x" alt="Offline"><span class="smalltext"> Offline</span><br>Posts: 112<br><div style="overflow: auto; width: 100%;"><img src="x" alt="" class="avatar"></div>Always yours<br></div></td>
 <td valign="top" width="85%" height="100%"><table width="100%" border="0"><tr><td align="left" valign="middle"><a href="https://board.example/index.php?topic=7.msg{id}#msg{id}"><img src="x" alt="" border="0"></a></td>
  <td align="left" valign="middle"><div style="font-weight: bold;" id="subject_{id}"><a href="https://board.example/index.php?topic=7.msg{id}#msg{id}">Lost notes</a></div><div class="smalltext">&#171; <b>{on}</b> March 01, 2024, 12:00:00 PM &#187;</div></td><td align="right"></td></tr></table>
  <hr width="100%" size="1" class="hrcolor"><div class="post">{words}</div></td></tr>
 <tr><td valign="bottom" class="smalltext" width="85%"><table width="100%" border="0" style="table-layout: fixed;"><tr><td colspan="2" class="smalltext" width="100%"></td></tr><tr><td valign="bottom" class="smalltext" id="modified_{id}">&#171; <i>Last Edit: March 02, 2024, 01:00:00 PM by {name}</i> &#187;</td><td align="right" valign="bottom" class="smalltext"><a href="https://board.example/index.php?action=reporttm;topic=7.0;msg={id}">Report to moderator</a> Logged</td></tr></table><hr width="100%" size="1" class="hrcolor"><div class="signature">Yours, {name}</div></td></tr></table></td></tr></table></td></tr>"##
        )
    };
    let quote = r##"<div class="quoteheader"><a href="https://board.example/index.php?topic=7.msg70#msg70">Quote from: ann on March 01, 2024, 12:00:00 PM</a></div><div class="quote">It drips.</div>Mine too.<br><div class="codeheader">Code:</div><div class="code">open(valve)</div>"##;
    let body = format!(
        r##"<table width="100%" cellpadding="3" cellspacing="0" border="0" class="tborder"><tr class="catbg3"><td valign="middle" width="2%"><img src="x" align="bottom" alt=""></td><td width="13%">Author</td><td valign="middle" width="85%" id="top_subject">Topic: Lost notes  (Read 120 times)</td></tr></table>
<form action="https://board.example/index.php?action=quickmod2;topic=7.0" method="post" name="quickModForm" id="quickModForm" style="margin: 0;"><table cellpadding="0" cellspacing="0" border="0" width="100%" class="bordercolor">{}{}<tr><td style="padding: 0 0 1px 0;"></td></tr></table></form>"##,
        post(70, "ann", "on:", "It drips.<br>All night."),
        post(71, "bob", "Reply #1 on:", quote)
    );
    let (at, edited) = ("2024-03-01T12:00:00Z", "2024-03-02T13:00:00Z");
    let want = [
        ("ann", at, edited, "It drips.\nAll night.", "msg70#msg70", ""),
        ("bob", at, edited, "Mine too.\nopen(valve)", "msg71#msg71", "#70"),
    ];
    check("SMF 1", "/index.php?topic=7.0", &body, &want);
}

#[test]
fn vanilla() {
    let meta = |id: &str, name: &str, link: &str| {
        format!(
            r##"<div class="Item-Header {id}Header"><div class="AuthorWrap"><span class="Author"><a title="{name}" href="/profile/{name}" class="PhotoWrap"><img src="x" alt="{name}" class="ProfilePhoto ProfilePhotoMedium"></a><a href="/profile/{name}" class="Username js-userCard" data-userid="1">{name}</a></span> <span class="AuthorInfo"><span class="MItem AuthorTitle">Member</span> <span class="MItem RoleTitle">Member</span></span></div>
 <div class="Meta {id}Meta"><span class="MItem DateCreated"><a href="{link}" class="Permalink" name="Item_1" rel="nofollow"><time title="March  1, 2024 12:00PM" datetime="2024-03-01T12:00:00+00:00">March 2024</time></a></span> <span class="MItem"><span title="Edited March 2, 2024 1:00PM by {name}." class="DateUpdated">edited March 2024</span></span> in <span class="MItem Category"><a href="/categories/help">Help</a></span></div></div>"##
        )
    };
    let body = format!(
        r##"<div class="MessageList Discussion"><div class="PageTitle"><div class="Options"></div><h1>Lost notes</h1></div>
<div id="Discussion_7" class="Item ItemDiscussion"><div class="Discussion">{}<div class="Item-BodyWrap"><div class="Item-Body"><div class="Message userContent"><p>It drips.</p></div><div class="Reactions"><a class="Hijack ReactButton" href="/react">Like <span class="Count">4</span></a></div></div></div></div></div></div>
<div class="CommentsWrap"><h2 class="CommentHeading">Comments</h2><ul class="MessageList DataList Comments"><li class="Item Alt ItemComment Role_Member" id="Comment_71"><div class="Comment">{}<div class="Item-BodyWrap"><div class="Item-Body"><div class="Message userContent"><blockquote class="Quote UserQuote"><div class="QuoteAuthor"><a href="/profile/ann" rel="nofollow">@ann</a> said:</div><div class="QuoteText">It drips.</div></blockquote><p>Mine too.</p></div><div class="Signature UserSignature">Always yours</div><div class="Reactions">Like</div></div></div></div></li></ul></div>"##,
        meta("Discussion", "ann", "https://board.example/discussion/7/lost-notes"),
        meta("Comment", "bob", "https://board.example/discussion/comment/71/#Comment_71")
    );
    let at = "2024-03-01T12:00:00Z";
    let edited = "2024-03-02T13:00:00Z";
    let want = [
        ("ann", at, edited, "It drips.", "/discussion/7/lost-notes", ""),
        ("bob", at, edited, "Mine too.", "#Comment_71", ""),
    ];
    check("Vanilla", "/discussion/7/lost-notes", &body, &want);
}

#[test]
fn nodebb() {
    let post = |id: u32, index: u32, name: &str, parent: &str, words: &str| {
        format!(
            r##"<li component="post" class="pt-4 topic-owner-post" data-index="{index}" data-pid="{id}" data-uid="1" data-timestamp="1709294400000" data-username="{name}" data-userslug="{name}" itemprop="comment" itemtype="http://schema.org/Comment" itemscope><a component="post/anchor" data-index="{index}" id="{index}"></a><meta itemprop="datePublished" content="2024-03-01T12:00:00.000Z"><meta itemprop="dateModified" content="2024-03-02T13:00:00.000Z">{parent}
 <div class="d-flex align-items-start gap-3 post-container-parent"><div class="bg-body"><a class="d-inline-block" href="/user/{name}" aria-label="Profile: {name}"><img class="avatar not-responsive" alt="{name}" src="x" component="user/picture"><span component="user/status" class="status offline"><span class="visually-hidden">Offline</span></span></a></div>
  <div class="post-container d-flex"><div class="post-header" itemprop="author" itemscope itemtype="https://schema.org/Person"><meta itemprop="name" content="{name}"><a class="fw-bold" href="/user/{name}" data-username="{name}" data-uid="1">{name}</a><span class="text-muted">wrote on <a href="/post/{id}" class="timeago text-muted" title="2024-03-01T12:00:00.000Z"></a></span><span data-editor="{name}" component="post/editor" class="visually-hidden">last edited by {name} <span class="timeago" title="3/2/2024, 1:00 PM"></span></span><a href="/post/{id}" class="post-index text-muted">#{index}</a></div>
   <div class="content text-break" component="post/content" itemprop="text">{words}</div>
   <div component="post/footer" class="post-footer"><div component="post/signature" data-uid="1" class="text-xs">Always yours</div><a component="post/reply-count" href="#"><span class="replies-count">1 Reply</span> <span class="replies-last">Last reply <span class="timeago" title="2024-03-05T12:00:00.000Z"></span></span></a><div component="post/actions"><a component="post/vote-count" data-votes="3" title="Voters">3</a></div><div component="post/replies/container" class="my-2"></div></div></div></div></li>"##
        )
    };
    let parent = r##"<div component="post/parent" data-parent-pid="70" data-uid="1"><a href="/user/ann">ann</a><div component="post/parent/content"><p>It drips.</p></div></div>"##;
    let body = format!(
        r##"<div itemid="/topic/7/lost-notes" itemscope itemtype="https://schema.org/DiscussionForumPosting"><meta itemprop="headline" content="Lost notes"><meta itemprop="datePublished" content="2024-03-01T12:00:00.000Z"><h1 component="post/header"><span class="topic-title" component="topic/title">Lost notes</span></h1><ul component="topic" class="posts timeline" data-tid="7">{}{}</ul></div>"##,
        post(70, 0, "ann", "", "<p>It drips.</p>"),
        post(
            71,
            1,
            "bob",
            parent,
            "<blockquote><p>ann said:</p><p>It drips.</p></blockquote><p dir=\"auto\">Mine too.</p>"
        )
    );
    let (at, edited) = ("2024-03-01T12:00:00Z", "2024-03-02T13:00:00Z");
    let want = [("ann", at, edited, "It drips.", "/post/70", ""), ("bob", at, edited, "Mine too.", "/post/71", "#70")];
    check("NodeBB", "/topic/7/lost-notes", &body, &want);
}

#[test]
fn invision_with_edits_and_spoilers() {
    let body = r##"<h1 class="ipsType_pageTitle">Lost notes</h1><article id="elComment_70" class="cPost ipsBox ipsComment ipsComment_parent"><aside class="ipsComment_author cAuthorPane"><h3 class="ipsType_sectionHead cAuthorPane_author"><strong><a href="https://board.example/profile/1-ann/" title="Go to ann's profile">ann</a></strong></h3><ul class="cAuthorPane_info"><li class="cAuthorPane_photo"><img src="x" alt="ann"></li><li>Members</li><li>42 posts</li></ul></aside>
 <div class="ipsColumn"><div id="comment-70_wrap" data-commentid="70" class="ipsComment_content ipsType_medium"><div class="ipsComment_meta ipsType_light"><a href="https://board.example/topic/7-lost-notes/?do=findComment&amp;comment=70" class="ipsType_blendLinks">Posted <time datetime="2024-03-01T12:00:00Z" title="03/01/24">March 1, 2024</time></a><span class="ipsResponsive_hidePhone">(edited)</span></div>
  <div class="cPost_contentWrap"><div data-role="commentContent" class="ipsType_normal ipsType_richText"><p>It drips.</p><div class="ipsSpoiler" data-ipsspoiler><div class="ipsSpoiler_header"><span>Reveal hidden contents</span></div><div class="ipsSpoiler_contents"><p>The seal.</p></div></div><span class="ipsType_reset ipsType_medium ipsType_light" data-excludequote><strong>Edited <time datetime="2024-03-02T13:00:00Z">March 2, 2024</time> by ann</strong></span></div>
  <div class="ipsItemControls"><div data-controller="core.front.core.reaction" class="ipsReact"><ul class="ipsReact_reactions"><li><span class="ipsReact_reactCount">3</span></li></ul></div></div></div><div data-role="memberSignature"><p>Always yours</p></div></div></div></article>"##;
    let want = [("ann", "2024-03-01T12:00:00Z", "2024-03-02T13:00:00Z", "It drips.\n\nThe seal.", "comment=70", "")];
    check("Invision", "/topic/7-lost-notes/", body, &want);
}

/// What pages put into the words for readers with a mouse or a screen reader.
#[test]
fn labels_and_buttons_are_nobodys_words() {
    let body = r##"<h1 class="p-title-value">Lost notes</h1><div class="block block--messages"><div class="block-container poll"><h2>Poll: which pump?</h2><ul><li>Ours <span>12 votes</span></li></ul></div>
<article class="message message--post js-post" data-author="ann" data-content="post-70" id="js-post-70"><div class="message-inner"><div class="message-cell message-cell--user"><section class="message-user"><div class="message-avatar"><a class="avatar"><img src="x" alt="ann"></a></div><h4 class="message-name"><a class="username">ann</a></h4><h5 class="userTitle">Member</h5></section></div>
 <div class="message-cell message-cell--main"><header class="message-attribution"><ul class="message-attribution-main"><li class="u-concealed"><a href="/threads/lost-notes.7/post-70" rel="nofollow"><time class="u-dt" datetime="2024-03-01T13:00:00+0100">Mar 1, 2024</time></a></li></ul><ul class="message-attribution-opposite"><li><a href="/threads/lost-notes.7/post-70" rel="nofollow">#1</a></li></ul></header>
  <article class="message-body js-selectToQuote"><div class="bbWrapper">It drips.<span class="sr-only">Click to expand</span><div class="bbCodeSpoiler"><button type="button" class="button bbCodeSpoiler-button"><span class="button-text">Spoiler: the cause</span></button><div class="bbCodeSpoiler-content"><div class="bbCodeBlock bbCodeBlock--spoiler"><div class="bbCodeBlock-content">The seal.</div></div></div></div></div><div class="js-selectToQuoteEnd">&nbsp;</div></article>
  <footer class="message-footer"><div class="message-lastEdit">Last edited: <time class="u-dt" datetime="2024-03-02T13:00:00Z">Mar 2, 2024</time></div><div class="reactionsBar js-reactionsList is-active"><a class="reactionsBar-link">bob, cid and 3 others</a></div></footer></div></div></article>
<div class="adDisplay"><div class="message-body"><div class="bbWrapper">Buy pumps!</div></div></div></div>"##;
    let want = [("ann", "2024-03-01T12:00:00Z", "2024-03-02T13:00:00Z", "It drips.\nThe seal.", "post-70", "")];
    check("XenForo", "/threads/lost-notes.7/", body, &want);
}

/// Comments as Stack Overflow shows them since 2025.
#[test]
fn stack_overflow_with_follow_ups() {
    let user = r##"<div class="post-signature owner"><div class="user-action-time">asked <span title="2024-03-01 12:00:00Z" class="relativetime">x</span></div><div class="user-details"><a href="/users/1/ann">ann</a></div></div>"##;
    let comment = r##"<div id="follow-up-72" itemprop="comment" itemscope itemtype="https://schema.org/Comment" role="listitem"><div class="d-flex"><a href="/users/3/cid" class="s-avatar" aria-label="User profile"><img alt=""></a><div class="s-user-card"><div itemprop="author" itemscope itemtype="https://schema.org/Person"><div class="d-none" itemprop="name">cid</div><a href="/users/3/cid" class="s-user-card--link comment-user">cid</a> <a class="comment-link" href="#comment72_70"><time title="2024-03-01T12:00:00.000Z" class="s-user-card--time">Over a year ago</time></a></div></div></div><div itemprop="text" class="flex--item fs-body1">Since when? <code>v2</code></div> <time class="d-none" itemprop="datePublished">2024-03-01T12:00:00.000Z</time><button type="button">Reply</button></div>"##;
    let html = format!(
        "<!DOCTYPE html><html><head><title>x</title><link rel=\"canonical\" href=\"https://board.example/questions/70/lost\"></head><body class=\"question-page\"><div id=\"question-header\"><h1><a>Lost notes</a></h1></div><div id=\"question\" class=\"question\" data-questionid=\"70\"><div class=\"js-post-body\" itemprop=\"text\"><p>It drips.</p></div>{user}{comment}</div></body></html>"
    );
    let read = read_page(&html, &Place::on_disk(Path::new("x.html")), &context()).unwrap();
    let posts = read.records.iter().filter_map(|r| if let Record::Post(post) = r { Some(post) } else { None });
    let told: Vec<_> = posts.map(|p| (p.id.as_str(), p.text.as_str(), p.parent.as_ref().map(PostId::as_str))).collect();
    let (question, comment) = ("stack_exchange:board.example:70", "stack_exchange:board.example:c72");
    assert_eq!(told, [(question, "Lost notes\n\nIt drips.", None), (comment, "Since when? `v2`", Some(question))]);
}

/// An opening that stands in the page's own description only, before replies that no engine's rules fit.
#[test]
fn an_opening_that_only_the_description_holds_is_read() {
    let reply = |n: u32, name: &str| {
        format!(
            "<div class=\"reply-box\" id=\"r{n}\"><a class=\"author\" href=\"/user/{name}\">{name}</a> <time datetime=\"2024-03-0{n}\">x</time><div class=\"reply-text\">Number {n} says that the seal is worn and should be changed.</div></div>"
        )
    };
    let html = format!(
        "<!DOCTYPE html><html><head><title>Forum</title><link rel=\"canonical\" href=\"https://board.example/forum/lost\"><script type=\"application/ld+json\">{{\"@context\":\"https://schema.org\",\"@type\":\"QAPage\",\"mainEntity\":{{\"@type\":\"Question\",\"name\":\"Lost\",\"text\":\"Dear all, my pump drips every single night since March.\",\"author\":{{\"@type\":\"Person\",\"name\":\"ann\"}},\"datePublished\":\"2024-03-01\"}}}}</script></head><body>{}{}{}</body></html>",
        reply(2, "bob"),
        reply(3, "cid"),
        reply(4, "dot")
    );
    let read = read_page(&html, &Place::on_disk(Path::new("x.html")), &context()).unwrap();
    let texts =
        read.records.iter().filter_map(|r| if let Record::Post(post) = r { Some(post.text.as_str()) } else { None });
    let texts: Vec<_> = texts.collect();
    assert_eq!((texts.len(), texts[0]), (4, "Dear all, my pump drips every single night since March."), "{}", read.by);
}

/// Classes that a program made say nothing; who is pictured is named beside the picture.
#[test]
fn who_is_named_beside_a_picture_of_them_wrote_it() {
    let post = |n: u32, name: &str| {
        format!(
            "<div id=\"p{n}\" class=\"sc-k kK\"><div class=\"sc-a\"><div class=\"MuiAvatar-root sc-b\"><img data-src=\"default.png\" alt=\"{}\"></div><div class=\"sc-c\"><div class=\"sc-d\">{name}</div><div class=\"sc-e\">2{n}/11/2025 at 7:16 pm</div></div></div><div class=\"sc-f\"><p>Number {n} says that the seal is worn and should be changed.</p></div></div>",
            name.to_uppercase()
        )
    };
    let html = format!(
        "<!DOCTYPE html><html><head><title>Forum</title></head><body>{}{}{}</body></html>",
        post(5, "Ann C(157)"),
        post(6, "bob"),
        post(7, "cid")
    );
    let read = read_page(&html, &Place::on_disk(Path::new("x.html")), &context()).unwrap();
    let posts = read.records.iter().filter_map(|r| if let Record::Post(post) = r { Some(post) } else { None });
    let told: Vec<_> = posts.map(|post| (post.author.is_some(), post.written_at.is_some())).collect();
    assert_eq!(told, [(true, true); 3], "{:?}", read.records);
}
