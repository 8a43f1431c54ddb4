//! A sentence model in this process: BERT and its family as sentence-transformers publish them, run by candle.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use candle_core::{DType, Device, IndexOp as _, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

/// Texts that go through the model together; more gains nothing on a CPU.
const BATCH: usize = 32;
/// Tokens of a text that count when the folder does not say how many the model was made for.
const MOST_TOKENS: usize = 256;

/// A model, ready to use.
pub struct Local {
    name: String,
    model: BertModel,
    tokenizer: Tokenizer,
    pooling: Pooling,
}

/// How the vectors of tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooling {
    Mean,
    /// That of the first token alone.
    First,
}

/// `1_Pooling/config.json`, as far as it matters.
#[derive(Deserialize)]
struct PoolingFile {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

/// `sentence_bert_config.json`, as far as it matters.
#[derive(Deserialize)]
struct SentenceFile {
    max_seq_length: Option<usize>,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Local {
    /// Reads the model in `folder`.
    ///
    /// # Errors
    /// When a file is missing or cannot be read, or the files do not fit each other.
    pub(super) fn load(folder: &Path) -> Result<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).with_context(|| {
                format!(
                    "could not read {}; embedding.path must be a folder with config.json, tokenizer.json and \
                     model.safetensors, as sentence-transformers publish them",
                    path.display()
                )
            })
        };
        let (config_text, tokenizer_text) = (read("config.json")?, read("tokenizer.json")?);
        let weights = read("model.safetensors")?;
        let pooling_text = fs::read(folder.join("1_Pooling/config.json")).ok();
        let sentence_text = fs::read(folder.join("sentence_bert_config.json")).ok();
        let mut hasher = blake3::Hasher::new();
        for part in
            [Some(&config_text), Some(&tokenizer_text), Some(&weights), pooling_text.as_ref(), sentence_text.as_ref()]
        {
            let part = part.map_or(&[][..], Vec::as_slice);
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let called = folder.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy());
        let name = format!("{called} {}", &hasher.finalize().to_hex()[..12]);

        let config = config(&config_text).with_context(|| format!("in {}", folder.join("config.json").display()))?;
        let most_tokens = match &sentence_text {
            Some(text) => {
                serde_json::from_slice::<SentenceFile>(text)
                    .with_context(|| format!("in {}", folder.join("sentence_bert_config.json").display()))?
                    .max_seq_length
            }
            None => None,
        };
        let most_tokens = most_tokens.unwrap_or(MOST_TOKENS).clamp(1, config.max_position_embeddings);
        let tokenizer = tokenizer(&tokenizer_text, &config, most_tokens)
            .with_context(|| format!("in {}", folder.join("tokenizer.json").display()))?;
        let pooling = match &pooling_text {
            Some(text) => pooling(text).with_context(|| format!("in {}", folder.join("1_Pooling").display()))?,
            None => Pooling::Mean,
        };
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .with_context(|| format!("{} holds no weights", folder.join("model.safetensors").display()))?;
        let model = BertModel::load(weights, &config).with_context(|| {
            format!(
                "the weights in {} do not fit the config.json beside them",
                folder.join("model.safetensors").display()
            )
        })?;
        Ok(Self { name, model, tokenizer, pooling })
    }

    /// The folder's name and a hash of what is in it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One vector for each of `texts`, of any length.
    ///
    /// # Errors
    /// When the model gives something that is no number: its weights are damaged.
    pub(super) fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        // Texts of a length go together, so that little is computed for padding.
        let mut order = (0..texts.len()).collect::<Vec<_>>();
        order.sort_by_key(|&i| (texts[i].len(), i));
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH) {
            let words = batch.iter().map(|&i| texts[i].as_str()).collect::<Vec<_>>();
            let found = self.batch(&words).with_context(|| format!("the model {} failed", self.name))?;
            for (&i, vector) in batch.iter().zip(found) {
                if vector.iter().any(|x| !x.is_finite()) {
                    bail!("the model {} gave something that is no number; are its weights damaged?", self.name);
                }
                vectors[i] = vector;
            }
        }
        Ok(vectors)
    }

    fn batch(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        let read = self.tokenizer.encode_batch(texts.to_vec(), true).map_err(|e| anyhow!("{e}"))?;
        let rows = read.len();
        let tensor = |of: fn(&tokenizers::Encoding) -> &[u32]| {
            let numbers = read.iter().flat_map(of).copied().collect::<Vec<_>>();
            Tensor::from_vec(numbers, (rows, read.first().map_or(0, tokenizers::Encoding::len)), &Device::Cpu)
        };
        let mask = tensor(tokenizers::Encoding::get_attention_mask)?;
        let ids = tensor(tokenizers::Encoding::get_ids)?;
        let hidden = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let pooled = match self.pooling {
            Pooling::First => hidden.i((.., 0))?,
            Pooling::Mean => {
                let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
                hidden.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&mask.sum(1)?)?
            }
        };
        Ok(pooled.to_vec2()?)
    }
}

fn config(text: &[u8]) -> Result<Config> {
    #[derive(Deserialize)]
    struct Kind {
        model_type: Option<String>,
    }
    let kind = serde_json::from_slice::<Kind>(text).context("it is no JSON object")?;
    match kind.model_type.as_deref() {
        Some("bert") | None => {}
        Some(other) => bail!(
            "it describes a model of type {other:?}; only BERT's are read here (all-MiniLM, bge, gte, e5). Serve it, and \
             choose kind = \"served\""
        ),
    }
    let config = serde_json::from_slice::<Config>(text).context("it describes no BERT model")?;
    if config.num_attention_heads == 0 || config.hidden_size % config.num_attention_heads != 0 {
        bail!("hidden_size {} is no multiple of {} heads", config.hidden_size, config.num_attention_heads);
    }
    Ok(config)
}

fn tokenizer(text: &[u8], config: &Config, most_tokens: usize) -> Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(text).map_err(|e| anyhow!("it is no tokenizer: {e}"))?;
    let highest = tokenizer.get_vocab(true).into_values().max().unwrap_or(0) as usize;
    if highest >= config.vocab_size {
        bail!("it has a token number {highest}, and the model knows {}; is it another model's?", config.vocab_size);
    }
    let padding = PaddingParams { pad_id: u32::try_from(config.pad_token_id).unwrap_or(0), ..PaddingParams::default() };
    tokenizer.with_padding(Some(padding));
    let truncation = TruncationParams { max_length: most_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(|e| anyhow!("{e}"))?;
    Ok(tokenizer)
}

fn pooling(text: &[u8]) -> Result<Pooling> {
    let file = serde_json::from_slice::<PoolingFile>(text)?;
    match (file.pooling_mode_cls_token, file.pooling_mode_mean_tokens) {
        (false, true) => Ok(Pooling::Mean),
        (true, false) => Ok(Pooling::First),
        _ => bail!("only the mean of the tokens, or the first, is known as a way to pool"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashMap;

    use candle_nn::VarMap;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use serde_json::{Value, json};

    use super::*;

    const WORDS: [&str; 12] =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "kettle", "leaks", "chain", "squeaks", "piano", "tent", "rain", "the"];

    fn config_json() -> Value {
        json!({
            "model_type": "bert", "vocab_size": WORDS.len(), "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 16, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "max_position_embeddings": 16,
            "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0
        })
    }

    fn tokenizer_json() -> Value {
        let vocab =
            WORDS.iter().enumerate().map(|(i, w)| ((*w).to_owned(), json!(i))).collect::<serde_json::Map<_, _>>();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": { "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "post_processor": { "type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2] },
            "decoder": null,
            "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab }
        })
    }

    /// A folder with a tiny model whose weights are drawn at random.
    pub(in super::super) fn tiny() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config_json().to_string()).unwrap();
        fs::write(folder.path().join("tokenizer.json"), tokenizer_json().to_string()).unwrap();
        let config = config(config_json().to_string().as_bytes()).unwrap();
        // Loading from an empty map makes every tensor that the model asks for.
        let map = VarMap::new();
        BertModel::load(VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu), &config).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut named =
            map.data().lock().unwrap().iter().map(|(n, v)| (n.clone(), v.shape().clone())).collect::<Vec<_>>();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let tensors = named
            .into_iter()
            .map(|(name, shape)| {
                let numbers = (0..shape.elem_count()).map(|_| random.random::<f32>() - 0.5).collect::<Vec<_>>();
                (name, Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap())
            })
            .collect::<HashMap<_, _>>();
        candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
        folder
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&t| t.to_owned()).collect()
    }

    #[test]
    fn a_text_has_the_same_vector_beside_whatever_others() {
        let folder = tiny();
        let model = Local::load(folder.path()).unwrap();
        let together = model.embed(&texts(&["the kettle leaks", "rain", "piano tent rain the chain squeaks"])).unwrap();
        let alone = model.embed(&texts(&["rain"])).unwrap();
        assert_eq!(together[1].len(), 8);
        for (a, b) in together[1].iter().zip(&alone[0]) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        assert_ne!(together[0], together[2]);
        let long = "rain ".repeat(500);
        assert!(model.embed(&[long]).unwrap()[0].iter().all(|x| x.is_finite()), "a long text is cut");
        assert!(model.embed(&[]).unwrap().is_empty());
    }

    #[test]
    fn pooling_by_the_first_token_differs_from_the_mean_and_other_ways_are_refused() {
        let folder = tiny();
        let mean = Local::load(folder.path()).unwrap();
        let write = |text: &str| {
            fs::create_dir_all(folder.path().join("1_Pooling")).unwrap();
            fs::write(folder.path().join("1_Pooling/config.json"), text).unwrap();
        };
        write(r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#);
        let first = Local::load(folder.path()).unwrap();
        let text = texts(&["the kettle leaks"]);
        assert_ne!(mean.embed(&text).unwrap(), first.embed(&text).unwrap());
        assert_ne!(mean.name(), first.name());
        write(r#"{"pooling_mode_max_tokens": true}"#);
        assert!(Local::load(folder.path()).unwrap_err().to_string().contains("1_Pooling"));
    }

    #[test]
    fn a_folder_that_is_no_model_says_what_is_wrong() {
        let refused = |change: &dyn Fn(&Path), says: &str| {
            let folder = tiny();
            change(folder.path());
            let error = format!("{:#}", Local::load(folder.path()).unwrap_err());
            assert!(error.contains(says), "{says}: {error}");
        };
        let with = |name: &'static str, value: Value| {
            move |folder: &Path| {
                let mut config = config_json();
                config[name] = value.clone();
                fs::write(folder.join("config.json"), config.to_string()).unwrap();
            }
        };
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            refused(&|folder| fs::remove_file(folder.join(file)).unwrap(), file);
            refused(&|folder| fs::write(folder.join(file), "no").unwrap(), file);
        }
        refused(&with("model_type", json!("xlm-roberta")), "xlm-roberta");
        refused(&with("hidden_size", json!(12)), "do not fit");
        refused(&with("num_attention_heads", json!(3)), "heads");
        refused(&with("vocab_size", json!(5)), "another model's");
        let missing = Local::load(Path::new("no-such-folder")).unwrap_err().to_string();
        assert!(missing.contains("embedding.path"), "{missing}");
    }
}
