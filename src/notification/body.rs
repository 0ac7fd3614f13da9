//! The body of a notification in the format of its receiver.
//!
//! Names and messages can hold what a proposal or a live file holds. For chats, everything in them that could be
//! markup, a mention or a link is made plain text.

use serde::Serialize;
use serde_json::json;

use super::notice::{Notice, NoticeKind};

/// The version of the JSON: see docs/notifications.md.
const VERSION: u32 = 1;

/// Shows nothing, and separates what would be recognised if it stood together.
const SEPARATOR: char = '\u{200b}';

/// What a receiver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    /// For programs, signed.
    Json,
    /// Slack.
    Slack,
    /// Mattermost, and what takes its bodies.
    Mattermost,
    /// Microsoft Teams: a message with an Adaptive Card.
    Teams,
}

impl BodyFormat {
    /// Every format with its name in `SHAPELINE_NOTIFY_FORMAT`.
    pub(super) const ALL: [(&'static str, BodyFormat); 4] = [
        ("json", BodyFormat::Json),
        ("slack", BodyFormat::Slack),
        ("mattermost", BodyFormat::Mattermost),
        ("teams", BodyFormat::Teams),
    ];
}

/// For programs: docs/notifications.md describes it.
#[derive(Serialize)]
struct NoticeJson<'n> {
    version: u32,
    id: &'n str,
    kind: NoticeKind,
    was: Option<NoticeKind>,
    target: Option<&'n str>,
    commit: Option<&'n str>,
    time: String,
    message: &'n str,
    command: &'n str,
    host: &'n str,
    tool: &'static str,
}

/// The body.
pub(super) fn body(notice: &Notice, format: BodyFormat) -> String {
    let lines = [notice.headline(), notice.message.clone(), notice.origin()];
    let text = |plain: fn(&str) -> String| lines.each_ref().map(|line| plain(line)).join("\n");
    match format {
        BodyFormat::Json => for_programs(notice),
        // Without `mrkdwn` nothing but `<…>` is markup.
        BodyFormat::Slack => json!({"text": text(for_slack), "mrkdwn": false}).to_string(),
        BodyFormat::Mattermost => json!({"text": text(for_mattermost)}).to_string(),
        BodyFormat::Teams => card(&lines).to_string(),
    }
}

fn for_programs(notice: &Notice) -> String {
    let body = NoticeJson {
        version: VERSION,
        id: &notice.id,
        kind: notice.kind,
        was: notice.was,
        target: notice.target.as_deref(),
        commit: notice.commit.as_deref(),
        time: notice.time.to_string(),
        message: &notice.message,
        command: notice.command,
        host: &notice.host,
        tool: env!("CARGO_PKG_VERSION"),
    };
    // Texts and numbers alone: it cannot fail.
    serde_json::to_string(&body).unwrap_or_default()
}

/// Without mentions, and without addresses that a chat would make links of.
fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let after = out.chars().next_back();
        let links = matches!((after, c), (Some('@' | '#'), _) | (Some(':'), '/') | (Some('{'), '{'));
        if links && !c.is_whitespace() {
            out.push(SEPARATOR);
        }
        out.push(c);
    }
    out
}

fn for_slack(text: &str) -> String {
    unlinked(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Markdown, in which a backslash makes any punctuation plain.
fn for_mattermost(text: &str) -> String {
    let mut out = String::new();
    for c in unlinked(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if "\\`*_~[]()#|!:".contains(c) => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Runs of text: unlike text blocks, they have no Markdown.
fn card(lines: &[String; 3]) -> serde_json::Value {
    let run = |text: &str, more: serde_json::Value| {
        let mut run = json!({"type": "TextRun", "text": unlinked(text)});
        if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
            run.extend(more.clone());
        }
        json!({"type": "RichTextBlock", "inlines": [run]})
    };
    let [headline, message, origin] = lines;
    let blocks = [
        run(headline, json!({"weight": "bolder"})),
        run(message, json!({})),
        run(origin, json!({"isSubtle": true, "size": "small"})),
    ];
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": blocks,
            },
        }],
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::notice::{Subject, Trouble};
    use super::*;

    const HOSTILE: &str =
        "<!here> <https://evil.example|pay> @channel [pay](https://evil.example) **b** & ~#town {{DATE(x)}}";

    fn hostile(format: BodyFormat) -> serde_json::Value {
        let trouble = Trouble::new(NoticeKind::PublishRefused, Some("0123456789abcdef"), HOSTILE);
        let notice = Notice::of(&trouble, &Subject::of_target("publish", "<@U123>"), "publish", "host");
        serde_json::from_str(&body(&notice, format)).unwrap()
    }

    #[test]
    fn chats_get_plain_text() {
        for format in [BodyFormat::Slack, BodyFormat::Mattermost] {
            let json = hostile(format);
            let text = json["text"].as_str().unwrap();
            assert!(!text.contains(['<', '>']) && !text.contains("@channel") && !text.contains("://"), "{text}");
            assert!(text.contains("&lt;!here&gt;") || text.contains("&lt;\\!here&gt;"), "{text}");
            assert!(!text.contains("& ") && !text.contains("&lt;@U123"), "{text}");
            assert_eq!(text.lines().count(), 3);
            assert_eq!(json["mrkdwn"], if format == BodyFormat::Slack { false.into() } else { json!(null) });
        }
        let markdown = hostile(BodyFormat::Mattermost);
        let markdown = markdown["text"].as_str().unwrap();
        assert!(markdown.contains("\\[pay\\]\\(https") && markdown.contains("\\*\\*b\\*\\*"), "{markdown}");
    }

    #[test]
    fn a_card_has_runs_of_text() {
        let json = hostile(BodyFormat::Teams);
        let content = &json["attachments"][0]["content"];
        assert_eq!((&json["type"], &content["type"]), (&json!("message"), &json!("AdaptiveCard")));
        for block in content["body"].as_array().unwrap() {
            assert_eq!((&block["type"], &block["inlines"][0]["type"]), (&json!("RichTextBlock"), &json!("TextRun")));
            let text = block["inlines"][0]["text"].as_str().unwrap();
            assert!(!text.contains("://") && !text.contains("{{") && !text.contains("@channel"), "{text}");
        }
        assert_eq!(content["body"][0]["inlines"][0]["weight"], "bolder");
    }

    #[test]
    fn programs_get_every_fact() {
        let json = hostile(BodyFormat::Json);
        assert_eq!(json["version"], 1);
        assert_eq!((&json["kind"], &json["was"]), (&json!("publish-refused"), &json!(null)));
        assert_eq!((&json["target"], &json["commit"]), (&json!("<@U123>"), &json!("0123456789abcdef")));
        assert_eq!(json["message"], HOSTILE);
        assert!(json["id"].as_str().unwrap().len() == 32 && json["time"].as_str().unwrap().ends_with('Z'));
    }
}
