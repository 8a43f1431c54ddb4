//! How fast the readers are, as bytes a second, beside what merely walking over the words costs: the ratio between the two is
//! what to compare from machine to machine.
//!
//! `cargo bench --bench reading`

use candor::crm::embedded::read_note;
use candor::extract::embedded::read_post;
use candor::model::NoteKind;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use unicode_segmentation::UnicodeSegmentation as _;

/// The demo's posts as they are stored.
fn texts() -> Vec<String> {
    let truth = include_str!("../corpus/demo/truth_posts.jsonl");
    let posts = truth.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    posts.filter_map(|post| post["text"].as_str().map(str::to_owned)).collect()
}

fn reading(criterion: &mut Criterion) {
    let texts = texts();
    let mut group = criterion.benchmark_group("reading");
    group.throughput(Throughput::Bytes(texts.iter().map(|t| t.len() as u64).sum()));
    group.sample_size(20);
    group.bench_function("words alone", |b| b.iter(|| texts.iter().map(|t| t.unicode_words().count()).sum::<usize>()));
    group.bench_function("posts", |b| b.iter(|| texts.iter().map(|t| read_post(t, None).acts.len()).sum::<usize>()));
    group.bench_function("notes", |b| {
        b.iter(|| texts.iter().map(|t| read_note(t, NoteKind::Note).pains.len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
