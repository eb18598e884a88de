//! Connections: slow clients, stopping.

use std::time::Duration;

use convenor::worker::Look;
use convenor_core::thing::Thing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{
    Eyes, Hands, House, OF_NO_INTEREST, TOKEN, about_proposal, client, open, proposal, settings, until,
};

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
        .await
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), &[("CONVENOR_SERVER__HEADER_TIMEOUT", "1s")]);
    let house = House::start(&settings, Hands::new().clock(), Eyes::content()).await;
    for head in ["", "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let began = std::time::Instant::now();
        read_to_end(&mut stream).await;
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{head:?}: {:?}",
            began.elapsed()
        );
    }
    house.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), &[("CONVENOR_SERVER__BODY_TIMEOUT", "1s")]);
    let house = House::start(&settings, Hands::new().clock(), Eyes::content()).await;
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    let head =
        format!("POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: {TOKEN}\r\ncontent-length: 10\r\n\r\n{{");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 408"));
    house.stop().await;
}

#[tokio::test]
async fn slow_clients_do_not_keep_good_ones_out() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), &[("CONVENOR_SERVER__MAX_CONNECTIONS", "50")]);
    let house = House::start(&settings, Hands::new().clock(), Eyes::content()).await;
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(b"POST /webhooks/gitlab HTTP/1.1\r\n").await.unwrap();
        slow.push(stream);
    }
    for _ in 0..10 {
        let request = client()
            .post(house.url("/webhooks/gitlab"))
            .header("x-gitlab-token", TOKEN)
            .body(OF_NO_INTEREST);
        let answer = tokio::time::timeout(Duration::from_secs(2), request.send())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    // The first of the slow ones made room.
    read_to_end(&mut slow[0]).await;
    drop(slow);
    house.stop().await;
}

/// It gives its thread to nobody meanwhile, as a very long comparison would.
#[tokio::test]
async fn a_look_that_thinks_for_long_holds_up_no_delivery() {
    let folder = tempfile::tempdir().unwrap();
    let (answered, waits) = std::sync::mpsc::channel();
    let waits = std::sync::Mutex::new(waits);
    let eyes = Eyes::new(Duration::ZERO, move |thing: &Thing| {
        if thing.to_string() == "proposal cop#1" {
            waits.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        }
        Look::Done {
            next: Duration::from_secs(3600),
            rest: None,
        }
    });
    let house = House::start(&settings(folder.path(), &[]), Hands::new().clock(), eyes.clone()).await;
    let deliver = async |iid| {
        let request = client().post(house.url("/webhooks/gitlab"));
        let request = request.header("x-gitlab-token", TOKEN).body(about_proposal(iid));
        request.send().await.unwrap().status()
    };
    assert_eq!(deliver(1).await, 200);
    until("the look to begin", async || {
        eyes.seen().contains(&"proposal cop#1".to_owned()).then_some(())
    })
    .await;
    for iid in 2..5 {
        assert_eq!(deliver(iid).await, 200);
    }
    // Had the deliveries waited for the look, nobody would have been there to take this.
    answered.send(()).expect("the look still waits");
    house.stop().await;
}

#[tokio::test]
async fn a_stop_ends_the_intake_then_the_work_in_hand_then_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let eyes = Eyes::new(Duration::from_millis(600), |_: &Thing| Look::Done {
        next: Duration::from_secs(3600),
        rest: None,
    });
    let hands = Hands::new();
    let house = House::start(&settings(folder.path(), &[]), hands.clock(), eyes.clone()).await;
    let request = client()
        .post(house.url("/webhooks/gitlab"))
        .header("x-gitlab-token", TOKEN);
    assert_eq!(request.body(about_proposal(1)).send().await.unwrap().status(), 200);
    until("the look to begin", async || {
        eyes.seen().contains(&"proposal cop#1".to_owned()).then_some(())
    })
    .await;
    let address = house.address;
    house.stop().await;
    assert!(TcpStream::connect(address).await.is_err(), "the address is still open");
    let store = open(folder.path()).await;
    let work = store.list_work().await.unwrap();
    let row = work.iter().find(|row| row.thing == proposal(1).to_string()).unwrap();
    assert!(
        !row.looking && row.last_look_at.is_some(),
        "the look in hand was not done: {row:?}"
    );
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let eyes = Eyes::new(Duration::from_secs(600), |_: &Thing| Look::Done {
        next: Duration::from_secs(3600),
        rest: None,
    });
    let settings = settings(folder.path(), &[("CONVENOR_SERVER__STOP_TIMEOUT", "1s")]);
    let house = House::start(&settings, Hands::new().clock(), eyes.clone()).await;
    until("the look to begin", async || (!eyes.seen().is_empty()).then_some(())).await;
    tokio::time::timeout(Duration::from_secs(10), house.stop())
        .await
        .unwrap();
    let store = open(folder.path()).await;
    assert!(store.list_work().await.unwrap()[0].looking, "its lease ends by itself");
}
