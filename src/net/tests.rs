//! The door against servers that misbehave. Waits are leapt over; what was waited for is read off the timer.

use std::collections::BTreeMap;

use wiremock::matchers::{any, body_string_contains, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::config::HostSettings;

/// A door that lets itself be used on `server`, and its timer.
fn door(server: &MockServer, change: impl FnOnce(&mut NetSettings)) -> (Net, Timer) {
    let mut settings = NetSettings::default();
    let host = HostSettings { allow_private: true, requests_per_minute: None };
    settings.hosts = BTreeMap::from([(server.address().to_string(), host)]);
    settings.timeout_secs = 5;
    change(&mut settings);
    let timer = Timer::leaping();
    (Net::new(&settings, None).unwrap().with_timer(timer.clone()), timer)
}

fn get(server: &MockServer, path: &str) -> Request {
    Request::get(Url::parse(&server.uri()).unwrap().join(path).unwrap())
}

async fn answer(server: &MockServer, at: &str, template: ResponseTemplate) {
    Mock::given(path(at)).respond_with(template).mount(server).await;
}

async fn asked(server: &MockServer, at: &str) -> usize {
    server.received_requests().await.unwrap().iter().filter(|r| r.url.path() == at).count()
}

#[tokio::test]
async fn private_addresses_are_refused_with_what_to_do() {
    let net = Net::new(&NetSettings::default(), None).unwrap();
    let refusal = |url: &str| net.admit(&Url::parse(url).unwrap()).unwrap_err().to_string();
    assert_eq!(
        refusal("http://10.0.0.1/"),
        "refused http://10.0.0.1/: 10.0.0.1 is a private address; if this is meant, \
         add [net.hosts.\"10.0.0.1\"] allow_private = true to candor.toml"
    );
    assert!(refusal("http://[::1]:99/x").contains("[net.hosts.\"[::1]:99\"]"));
    assert_eq!(refusal("ftp://forum.example/"), "refused ftp://forum.example/: only http and https are read");
    assert!(!refusal("https://me:hunter2@forum.example/?k=hunter2").contains("hunter2"));
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused_at_connect() {
    let server = MockServer::start().await;
    let (net, timer) = door(&server, |_| {});
    let url = format!("http://localhost:{}/t/1.json", server.address().port());
    let error = net.send(&Request::get(url.parse().unwrap())).await.unwrap_err().to_string();
    assert!(error.contains("is a loopback address"), "{error}");
    assert!(error.contains("allow_private"), "{error}");
    assert_eq!(timer.now(), Duration::ZERO, "no retry helps");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn redirects_pass_the_same_gates() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(200).set_body_string("User-agent: *\nDisallow: /secret"))
        .await;
    answer(&server, "/ok", ResponseTemplate::new(301).insert_header("location", "/there")).await;
    answer(&server, "/there", ResponseTemplate::new(200).set_body_string("hello")).await;
    answer(&server, "/in", ResponseTemplate::new(302).insert_header("location", "http://192.168.0.1/")).await;
    answer(&server, "/hidden", ResponseTemplate::new(302).insert_header("location", "/secret")).await;
    answer(&server, "/round", ResponseTemplate::new(302).insert_header("location", "/round")).await;
    answer(&server, "/lost", ResponseTemplate::new(302)).await;
    let name = format!("http://localhost:{}/", server.address().port());
    answer(&server, "/name", ResponseTemplate::new(302).insert_header("location", name.as_str())).await;
    let (net, _) = door(&server, |_| {});

    let response = net.send(&get(&server, "/ok")).await.unwrap();
    assert_eq!((response.body.as_slice(), response.url.path()), (&b"hello"[..], "/there"));
    for (from, reason) in [
        ("/in", "192.168.0.1 is a private address"),
        ("/name", "is a loopback address"),
        ("/hidden", "robots.txt disallows"),
        ("/round", "redirects more than 5 times"),
        ("/lost", "answered 302"),
    ] {
        let error = net.send(&get(&server, from)).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{from}: {error}");
    }
    assert_eq!(asked(&server, "/secret").await, 0);
    assert_eq!(asked(&server, "/robots.txt").await, 1, "once per host");
}

#[tokio::test]
async fn a_robots_file_that_cannot_be_read_forbids_for_now() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(503)).await;
    answer(&server, "/t/1", ResponseTemplate::new(200)).await;
    let (net, timer) = door(&server, |s| s.retry_budget_secs = 30);
    let error = net.send(&get(&server, "/t/1")).await.unwrap_err().to_string();
    assert!(error.contains("robots.txt could not be read") && error.contains("answered 503"), "{error}");
    assert!(timer.now() <= Duration::from_secs(60), "{:?}", timer.now());
    assert_eq!(asked(&server, "/t/1").await, 0);
}

#[tokio::test]
async fn a_crawl_delay_is_a_floor() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(200).set_body_string("User-agent: *\nCrawl-delay: 5")).await;
    answer(&server, "/t/1", ResponseTemplate::new(200)).await;
    let (net, timer) = door(&server, |_| {});
    for _ in 0..3 {
        net.send(&get(&server, "/t/1")).await.unwrap();
    }
    assert_eq!(timer.now(), Duration::from_secs(15));
}

#[tokio::test]
async fn a_host_that_asks_for_quiet_gets_it() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(404)).await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "40");
    Mock::given(path("/t/1")).respond_with(busy).up_to_n_times(2).mount(&server).await;
    answer(&server, "/t/1", ResponseTemplate::new(200)).await;
    let (net, timer) = door(&server, |_| {});
    net.send(&get(&server, "/t/1")).await.unwrap();
    assert_eq!(timer.now(), Duration::from_secs(1 + 40 + 40));
    assert_eq!(asked(&server, "/t/1").await, 3);
}

#[tokio::test]
async fn limit_headers_move_the_next_request() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(404)).await;
    let spent = ResponseTemplate::new(200)
        .insert_header("x-ratelimit-remaining", "0.0")
        .insert_header("x-ratelimit-used", "600")
        .insert_header("x-ratelimit-reset", "400");
    answer(&server, "/t/1", spent).await;
    let (net, timer) = door(&server, |s| s.retry_budget_secs = 10);
    for _ in 0..2 {
        net.send(&get(&server, "/t/1")).await.unwrap();
    }
    assert_eq!(timer.now(), Duration::from_secs(401), "a rate window is no retry: the budget does not bound it");
}

#[tokio::test]
async fn a_storm_ends_inside_the_budget_and_a_refusal_at_once() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(404)).await;
    answer(&server, "/storm", ResponseTemplate::new(500)).await;
    answer(&server, "/gone", ResponseTemplate::new(410)).await;
    answer(&server, "/later", ResponseTemplate::new(503).insert_header("retry-after", "3600")).await;
    let (net, timer) = door(&server, |s| s.retry_budget_secs = 60);

    assert_eq!(net.send(&get(&server, "/gone")).await.unwrap_err().status(), Some(410));
    assert_eq!(asked(&server, "/gone").await, 1);

    let began = timer.now();
    let error = net.send(&get(&server, "/storm")).await.unwrap_err();
    assert!(matches!(error, NetError::GaveUp { .. }), "{error}");
    assert!(error.to_string().contains("tries: answered 500"), "{error}");
    let tries = asked(&server, "/storm").await;
    assert!((5..=8).contains(&tries), "{tries}");
    assert!(timer.now() - began <= Duration::from_secs(60 + 2));

    let error = net.send(&get(&server, "/later")).await.unwrap_err().to_string();
    assert!(error.contains("asks to wait 3600 s"), "{error}");
    let error = net.send(&get(&server, "/gone")).await.unwrap_err().to_string();
    assert!(error.contains("of quiet"), "the host stays closed: {error}");
}

#[tokio::test]
async fn a_connection_that_is_not_there_is_tried_again_and_named() {
    let server = MockServer::start().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (net, timer) = door(&server, |s| {
        s.retry_budget_secs = 8;
        s.hosts.insert(nobody.to_string(), HostSettings { allow_private: true, requests_per_minute: None });
    });
    let request = Request::get(format!("http://{nobody}/t/1").parse().unwrap());
    let error = net.send(&request).await.unwrap_err().to_string();
    assert!(error.contains("tries: ") && error.contains("Connection refused"), "{error}");
    assert!(timer.now() > Duration::from_secs(2), "{:?}", timer.now());
}

#[tokio::test]
async fn bodies_are_capped_after_decompression() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(404)).await;
    answer(&server, "/plain", ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 2000])).await;
    answer(&server, "/fits", ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 1000])).await;
    let bomb = ResponseTemplate::new(200).set_body_bytes(zeros_in_gzip()).insert_header("content-encoding", "gzip");
    answer(&server, "/bomb", bomb).await;
    let (net, _) = door(&server, |s| s.max_body_bytes = 1000);
    for at in ["/plain", "/bomb"] {
        let error = net.send(&get(&server, at)).await.unwrap_err();
        assert!(matches!(error, NetError::TooLarge { limit: 1000, .. }), "{at}: {error}");
        assert_eq!(asked(&server, at).await, 1, "no second try of {at}");
    }
    assert_eq!(net.send(&get(&server, "/fits")).await.unwrap().body.len(), 1000);
}

/// What gzip makes of 100,000 zero bytes: 135 bytes, most of them zero too.
fn zeros_in_gzip() -> Vec<u8> {
    let head = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xed, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2,
        0xa0, 0xf5, 0x4f, 0x6d, 0x0d, 0x0f, 0xa0,
    ];
    let tail = [0x80, 0x57, 0x03, 0x7d, 0x95, 0x11, 0xd4, 0xa0, 0x86, 0x01, 0x00];
    [head.as_slice(), &[0; 99], &tail].concat()
}

fn credentials(server: &MockServer, secret: &str) -> RedditCredentials {
    RedditCredentials {
        client_id: "an-id".to_owned(),
        client_secret: secret.into(),
        token_url: format!("{}/token", server.uri()),
        api_url: server.uri(),
    }
}

fn reddit_door(server: &MockServer, secret: &str) -> (Net, Timer) {
    let (net, timer) = door(server, |_| {});
    let net = Net { reddit: Some(RedditAccess::new(&credentials(server, secret)).unwrap()), ..net };
    (net, timer)
}

fn token(name: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(serde_json::json!({"access_token": name, "token_type": "bearer", "expires_in": 3600}))
}

#[tokio::test]
async fn tokens_are_renewed_early_and_once_on_401() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/token"))
        .and(header("authorization", "Basic YW4taWQ6aHVudGVyMg=="))
        .and(body_string_contains("grant_type=client_credentials"))
        .respond_with(token("first"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/token")).respond_with(token("second")).up_to_n_times(1).mount(&server).await;
    answer(&server, "/token", token("third")).await;
    Mock::given(path("/new"))
        .and(header("authorization", "Bearer first"))
        .respond_with(ResponseTemplate::new(200))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/new"))
        .and(header("authorization", "Bearer first"))
        .respond_with(ResponseTemplate::new(401))
        .mount(&server)
        .await;
    answer(&server, "/new", ResponseTemplate::new(200)).await;
    answer(&server, "/never", ResponseTemplate::new(401)).await;
    let (net, timer) = reddit_door(&server, "hunter2");
    let new = get(&server, "/new").with(Credential::Reddit);

    net.send(&new).await.unwrap();
    net.send(&new).await.unwrap();
    assert_eq!(asked(&server, "/token").await, 2, "one token, and a fresh one after the 401");
    timer.sleep_until(timer.now() + Duration::from_secs(3540)).await;
    net.send(&new).await.unwrap();
    assert_eq!(asked(&server, "/token").await, 3, "renewed a minute early");
    let error = net.send(&get(&server, "/never").with(Credential::Reddit)).await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    assert_eq!(asked(&server, "/never").await, 2);
    assert_eq!(asked(&server, "/robots.txt").await, 0, "an API is no crawl");
}

#[tokio::test]
async fn credentials_show_nowhere_and_travel_to_their_own_origin_only() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    answer(&server, "/token", token("tok-hunter2")).await;
    let away = ResponseTemplate::new(302).insert_header("location", format!("{}/x", other.uri()).as_str());
    answer(&server, "/away", away).await;
    answer(&server, "/broken", ResponseTemplate::new(403)).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&other).await;
    let (mut net, _) = reddit_door(&server, "hunter2");
    let host = HostSettings { allow_private: true, requests_per_minute: None };
    net.settings.hosts.insert(other.address().to_string(), host);

    net.send(&get(&server, "/away").with(Credential::Reddit)).await.unwrap();
    net.send(&Request::get(format!("{}/y", other.uri()).parse().unwrap()).with(Credential::Reddit)).await.unwrap();
    for request in other.received_requests().await.unwrap() {
        assert!(!request.headers.contains_key("authorization"), "{}", request.url);
    }
    let error = net.send(&get(&server, "/broken").with(Credential::Reddit)).await.unwrap_err();
    let shown = format!("{net:?} {error:?} {error}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn refused_credentials_are_explained() {
    let cases = [
        (ResponseTemplate::new(401), "does not know this client id"),
        (ResponseTemplate::new(200).set_body_json(serde_json::json!({"error": "invalid_grant"})), "invalid_grant"),
        (ResponseTemplate::new(200).set_body_string("<html>hunter2"), "no token"),
    ];
    for (template, reason) in cases {
        let server = MockServer::start().await;
        Mock::given(path("/token"))
            .and(body_string_contains("installed_client&device_id=DO_NOT_TRACK_THIS_DEVICE"))
            .respond_with(template)
            .mount(&server)
            .await;
        let (net, _) = reddit_door(&server, "");
        let error = net.send(&get(&server, "/new").with(Credential::Reddit)).await.unwrap_err().to_string();
        assert!(error.contains("Reddit gave no access") && error.contains(reason), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn the_rate_holds_in_real_time_too() {
    let server = MockServer::start().await;
    answer(&server, "/robots.txt", ResponseTemplate::new(404)).await;
    answer(&server, "/t/1", ResponseTemplate::new(200)).await;
    let (net, _) = door(&server, |s| s.requests_per_minute = 1200);
    let net = net.with_timer(Timer::real());
    let began = std::time::Instant::now();
    let request = get(&server, "/t/1");
    let (a, b, c, d) = tokio::join!(net.send(&request), net.send(&request), net.send(&request), net.send(&request));
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && d.is_ok());
    assert!(began.elapsed() >= Duration::from_millis(4 * 50 - 5), "{:?}", began.elapsed());
}
