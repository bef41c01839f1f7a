//! Answers that say no.

use super::*;

#[tokio::test]
async fn a_key_that_is_refused_is_said_with_what_to_do() {
    let body = include_bytes!("../../../../tests/data/error-unknown-key.json");
    check_answer(Then::Answer(http("401 Unauthorized", body)), expect![[r#"
        Denied code=401 error=AUTH_ERR_APIKEY_NOT_FOUND
        LIST: HTTP 401 AUTH_ERR_APIKEY_NOT_FOUND: the API key is not known to this app: check the key, the app id and the region"#]]).await;
    check_answer(
        Then::Answer(http("403 Forbidden", b"")),
        expect![[r#"
        Denied code=403
        LIST: HTTP 403: the API refused the key: check the key, the app id and the region"#]],
    )
    .await;
    check_answer(Then::Answer(http("200 OK", body)), expect![[r#"
        Denied code=200 error=AUTH_ERR_APIKEY_NOT_FOUND
        LIST: HTTP 200 AUTH_ERR_APIKEY_NOT_FOUND: the API key is not known to this app: check the key, the app id and the region"#]]).await;
}

#[tokio::test]
async fn a_parameter_that_is_refused_is_told_apart() {
    let body = include_bytes!("../../../../tests/data/error-bad-request.json");
    check_answer(
        Then::Answer(http("400 Bad Request", body)),
        expect![[r#"
        Rejected code=400 error=ERR_BAD_REQUEST
        LIST: HTTP 400 ERR_BAD_REQUEST: the API does not take a parameter"#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_error_is_other_and_is_not_repeated() {
    let body = br#"{"error":{"code":"s3cret-key","message":"s3cret-key"}}"#;
    check_answer(Then::Answer(http("418 Teapot", body)), expect![[r#"
        Unavailable code=418 error=other
        LIST: HTTP 418 with an error code that this version does not know: not what the Calls API answers: check base_url and any proxy"#]]).await;
}

#[tokio::test]
async fn a_pause_that_is_asked_for_comes_with_its_length() {
    let head = "429 Too Many Requests\r\nRetry-After: 7\r\nX-RateLimit-Limit: 500\r\n\
                X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1760000031\r\n\
                Date: Thu, 09 Oct 2025 08:53:21 GMT";
    let exchange = check_answer(Then::Answer(http(head, b"slow down")), expect![[r#"
        Later code=429
        LIST: HTTP 429: the app's rate limit is used up: if this happens often, lower poll.rate_limit_share"#]]).await;
    let quota = Quota {
        limit: Some(500),
        remaining: Some(0),
        reset_in_ms: Some(30_000),
        retry_after_ms: Some(7000),
    };
    assert_eq!(exchange.quota, quota);
}

#[tokio::test]
async fn a_page_of_a_gateway_is_no_page_of_calls() {
    let html = b"<html><h1>Bad Gateway</h1></html>";
    let head = "502 Bad Gateway\r\ncontent-type: text/html; charset=utf-8";
    check_answer(Then::Answer(http(head, html)), expect![[r#"
        Unavailable code=502
        LIST: HTTP 502 with HTML, as of a gateway or proxy: a fault of the API or of a gateway before it: it is asked again"#]]).await;
    let head = "200 OK\r\ncontent-type: Text/HTML";
    check_answer(Then::Answer(http(head, html)), expect![[r#"
        Unavailable code=body
        LIST: HTTP 200, but the body is not the JSON object of the Calls API (HTML, as of a gateway or proxy): check base_url and any proxy"#]]).await;
    check_answer(Then::Answer(http("204 No Content", b"")), expect![[r#"
        Unavailable code=body
        LIST: HTTP 204, but the body is not the JSON object of the Calls API: check base_url and any proxy"#]]).await;
}

#[tokio::test]
async fn a_status_that_does_not_exist_is_other() {
    check_answer(
        Then::Answer(http("999 What", b"")),
        expect![[r#"
            Unavailable code=other
            LIST: HTTP 999: not what the Calls API answers: check base_url and any proxy"#]],
    )
    .await;
}
