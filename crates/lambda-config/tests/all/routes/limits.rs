//! What a config may be called and hold, and how it goes.

use mgmt_testkit::gateway::Request;
use serde_json::json;

use crate::bed::{Bed, WARMING};
use crate::values::{body, office};

/// Faults, row 51.
#[tokio::test]
async fn a_schedule_names_no_function_of_our_own_and_none_of_another_account() {
    let bed = Bed::new().await;
    for (function, words) in [
        (json!("app-dev-lambda-config"), "itself"),
        (json!("warmer"), "itself"),
        (
            json!({"name": "arn:aws:lambda:eu-central-1:123456789012:function:app-dev-module-usage-background"}),
            "itself",
        ),
        (json!("arn:aws:lambda:eu-central-1:999999999999:function:orders"), "999999999999"),
        (json!({"name": "orders", "payload": {"Records": []}}), "event of AWS"),
    ] {
        let mut value = office();
        value["lambda_functions"] = json!(["fine", function]);
        for request in
            [Request::put(WARMING, &body(&value)), Request::post(&format!("{WARMING}/preview")).json(&body(&value))]
        {
            let errors = bed.send(&request).await.expect(422).json()["errors"].clone();
            let error = &errors[0];
            assert!(error["pointer"].as_str().unwrap().starts_with("/configValue/lambda_functions/1"), "{errors}");
            assert!(error["message"].as_str().unwrap().contains(words), "{errors}");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_nearly_ours_is_refused_and_one_that_was_stored_can_be_removed() {
    let bed = Bed::new().await;
    for near in ["LAMBDA_WARMING", "lambda_warm%D1%96ng", "lambda_warming%E2%80%8B", "lambda_warmin"] {
        let request = Request::put(&format!("/platform/lambda-config/{near}"), &json!({"configValue": 1}));
        let said = bed.send(&request).await.expect(422).json();
        assert!(said["errors"][0]["message"].as_str().unwrap().contains("did you mean \"lambda_warming\"?"), "{said}");
    }
    bed.arrange("insert into platform_lambda_config (config_key, config_value) values ('LAMBDA_WARMING', '1')").await;
    let path = "/platform/lambda-config/LAMBDA_WARMING";
    let tag = bed.send(&Request::get(path)).await.expect(200).header("etag").to_owned();
    bed.send(&Request::new("DELETE", path).header("if-match", "\"7\"")).await.expect(412);
    bed.send(&Request::new("DELETE", path).header("if-match", &tag)).await.expect(204);
    bed.send(&Request::new("DELETE", path)).await.expect(404);
    bed.send(&Request::get(path)).await.expect(404);
}

#[tokio::test]
async fn the_schedule_is_removed_only_when_its_rules_are_gone() {
    let bed = Bed::new().await;
    bed.send(&Request::put(WARMING, &body(&office()))).await.expect(200);
    assert_eq!(bed.send(&Request::new("DELETE", WARMING)).await.expect(409).code(), "rules_remain");
    bed.bus.edit(|bus| bus.retain(|name, _| !name.starts_with("app.dev.warm.")));
    bed.send(&Request::new("DELETE", WARMING)).await.expect(204);
    bed.send(&Request::get(WARMING)).await.expect(404);
    // And begins anew.
    let answer = bed.send(&Request::put(WARMING, &body(&office()))).await.expect(201).json();
    assert_eq!(answer["sync"]["status"], "synced", "{answer}");
}

#[tokio::test]
async fn configs_come_in_pages_that_an_answer_can_carry() {
    let bed = Bed::new().await;
    let large = "x".repeat(250_000);
    for n in 0..12 {
        bed.send(&Request::put(&format!("/platform/lambda-config/key-{n:02}"), &json!({ "configValue": large })))
            .await
            .expect(201);
    }
    let (mut target, mut keys, mut pages) = ("/platform/lambda-config".to_owned(), Vec::new(), 0);
    loop {
        let answer = bed.send(&Request::get(&target)).await.expect(200);
        assert!(answer.body.len() < 4_000_000, "{}", answer.body.len());
        keys.extend(
            answer.json().as_array().unwrap().iter().map(|config| config["configKey"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        let Some((next, _)) = answer.header("link").split_once('>') else { break };
        next.trim_start_matches('<').clone_into(&mut target);
    }
    assert_eq!((keys.len(), pages > 1), (13, true));
    let too_large = Request::put("/platform/lambda-config/key", &json!({"configValue": "x".repeat(262_200)}));
    assert_eq!(bed.send(&too_large).await.expect(422).pointers(), ["/configValue"]);
}
