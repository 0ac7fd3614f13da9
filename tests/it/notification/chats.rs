//! Bodies for chats, with what a proposal can put into them.

use serde_json::Value;

use super::{Receiver, run_in};
use crate::publish::Site;

/// The body of a refused publish, of data whose paths are markup.
fn body(format: &str) -> Value {
    let (site, receiver) = (
        Site::new(
            1,
            "check: ['sh', '-c', 'echo \"<!here> @channel [pay](https://evil.example) **b** <at>all</at>\"; exit 1']\n",
        ),
        Receiver::start(),
    );
    let run = run_in(site.repo.path(), &["publish"], |command| {
        command.env("SHAPELINE_NOTIFY_URL", &receiver.url).env("SHAPELINE_NOTIFY_FORMAT", format);
    });
    assert_eq!(run.code, 1, "{run:?}");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("x-shapeline-signature-256"), None, "there is no secret");
    serde_json::from_slice(&requests[0].body).unwrap()
}

#[test]
fn slack_and_mattermost_get_one_text() {
    for format in ["slack", "mattermost"] {
        let body = body(format);
        let text = body["text"].as_str().unwrap();
        let headline = text.lines().next().unwrap().replace('\\', "");
        assert!(headline.starts_with("Shapeline: publish refused, target hre-1, commit "), "{text}");
        assert!(text.contains("here") && text.contains("pay"), "the message is shown: {text}");
        assert!(!text.contains(['<', '>']) && !text.contains("@channel") && !text.contains("https://"), "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }
    assert!(body("mattermost")["text"].as_str().unwrap().contains("\\[pay\\]\\("));
}

#[test]
fn teams_gets_a_card_without_markdown() {
    let body = body("teams");
    let attachment = &body["attachments"][0];
    assert_eq!(body["type"], "message");
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let blocks = attachment["content"]["body"].as_array().unwrap();
    assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock" && block["inlines"][0]["type"] == "TextRun"));
    let text = blocks[1]["inlines"][0]["text"].as_str().unwrap();
    assert!(text.contains("pay") && !text.contains("https://"), "{text}");
}
