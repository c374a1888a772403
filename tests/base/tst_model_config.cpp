// config.json against hardening.md 3.3 (C rules), and what the three families' real files mean.

#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/io/model_config.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;
using Json = nlohmann::ordered_json;

namespace {

/// Llama 3.2 1B's config.json in the spelling of transformers 4.
Json llama() {
    return Json::parse(R"({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
        "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 131072,
        "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
        "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
        "vocab_size": 128256})");
}

/// Qwen2.5 0.5B's.
Json qwen2() {
    return Json::parse(R"({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896, "intermediate_size": 4864,
        "max_position_embeddings": 32768, "max_window_layers": 24, "model_type": "qwen2", "num_attention_heads": 14,
        "num_hidden_layers": 24, "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
        "sliding_window": 32768, "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_mrope": false,
        "use_sliding_window": false, "vocab_size": 151936})");
}

/// Qwen3 0.6B's, in the spelling of transformers 5.
Json qwen3() {
    return Json::parse(R"({
        "architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "bos_token_id": 151643, "dtype": "bfloat16",
        "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072,
        "layer_types": ["full_attention", "full_attention"], "max_position_embeddings": 40960,
        "max_window_layers": 28, "model_type": "qwen3", "num_attention_heads": 16, "num_hidden_layers": 2,
        "num_key_value_heads": 8, "rms_norm_eps": 1e-06,
        "rope_parameters": {"rope_theta": 1000000, "rope_type": "default"}, "sliding_window": null,
        "tie_word_embeddings": true, "use_sliding_window": false, "vocab_size": 151936})");
}

ModelConfig parse(const Json& json) {
    return parseModelConfig(json.dump(), "config.json");
}

struct Bad {
    std::string rule;
    std::string text;
    std::string says;
    ErrorKind kind = ErrorKind::file_format;
};

class BadConfigs {
public:
    std::vector<Bad> all;

    void text(const std::string& rule, const std::string& json, const std::string& says) {
        all.push_back({rule, json, says, ErrorKind::file_format});
    }
    /// `base` with one key replaced by the JSON text `value`.
    void key(const std::string& rule, Json base, const std::string& name, const std::string& value,
             const std::string& says = "", ErrorKind kind = ErrorKind::file_format) {
        base[name] = Json::parse(value);
        all.push_back({rule, base.dump(), says.empty() ? name + ": " : says, kind});
    }
    void unsupported(const std::string& rule, const Json& base, const std::string& name,
                     const std::string& value, const std::string& says) {
        key(rule, base, name, value, says, ErrorKind::unsupported_model);
    }
};

void addSizes(BadConfigs& bad) {
    for (const char* name : {"hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                             "intermediate_size", "vocab_size", "head_dim", "max_position_embeddings"})
        for (const char* value : {"0", "-1", "1.5", "2.0", "1e2", "\"8\"", "true", "[8]", "{}",
                                  "9223372036854775808", "18446744073709551615", "1e300"})
            bad.key("C2", llama(), name, value);
    for (const char* name :
         {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"}) {
        Json without = llama();
        without.erase(name);
        bad.text("C2", without.dump(), std::string(name) + ": is missing");
    }
    bad.key("C3", llama(), "num_hidden_layers", "513");
    bad.key("C3", llama(), "hidden_size", "65537");
    bad.key("C3", llama(), "vocab_size", "2097153");
    bad.key("C3", llama(), "num_attention_heads", "1025");
    bad.key("C3", llama(), "num_key_value_heads", "1025");
    bad.key("C3", llama(), "intermediate_size", "1048577");
    bad.key("C3", llama(), "head_dim", "4098");
    bad.key("C3", llama(), "max_position_embeddings", "2147483648");
    bad.key("C4", llama(), "num_key_value_heads", "5", "does not divide");
    bad.key("C4", qwen2(), "num_attention_heads", "18", "does not divide");
    bad.key("C4", llama(), "head_dim", "63", "must be even");
}

void addKinds(BadConfigs& bad) {
    for (const char* text : {"[]", "\"x\"", "1", "null"})
        bad.text("C1", text, "must be a JSON object");
    bad.text("C1", llama().dump() + std::string(1 << 20, ' '), "larger than 1048576");
    bad.text("C1", R"({"hidden_size":1,"hidden_size":2})", "duplicate key");
    bad.text("C1", R"({"hidden_size":NaN})", "byte");
    bad.text("C1", "", "byte");
    bad.unsupported("C6", llama(), "model_type", "\"mistral\"", "model_type: \"mistral\" is not supported");
    bad.unsupported("C6", llama(), "architectures", R"(["LlamaForSequenceClassification"])",
                    "\"LlamaForSequenceClassification\"");
    bad.unsupported("C6", llama(), "architectures", R"(["Qwen2ForCausalLM"])", "\"Qwen2ForCausalLM\"");
    bad.unsupported("C6", llama(), "architectures", R"(["LlamaForCausalLM","Other"])", "\"Other\"");
    bad.unsupported("C6", llama(), "auto_map", R"({"AutoModel":"x.py"})", "auto_map: ");
    bad.unsupported("C6", llama(), "quantization_config", R"({"quant_method":"gptq"})", "\"gptq\"");
    bad.unsupported("C6", llama(), "quantization_config", R"({"quant_method":{"a":1}})",
                    "quantization_config: ");
    bad.unsupported("C6", llama(), "compression_config", "{}", "compression_config: ");
    bad.unsupported("C6", llama(), "per_layer_config", R"({"0":{}})", "per_layer_config: ");
    bad.unsupported("C6", llama(), "hidden_act", "\"gelu\"", "\"gelu\"");
    Json window_from_21 = qwen2();
    window_from_21["max_window_layers"] = 21;
    bad.unsupported("C6", window_from_21, "use_sliding_window", "true", "use_sliding_window: ");
    bad.unsupported("C6", qwen3(), "layer_types", R"(["full_attention","sliding_attention"])",
                    "sliding_attention");
    bad.key("C6", qwen3(), "layer_types", R"(["full_attention"])", "must be a list of 2 names");
    bad.key("C6", llama(), "architectures", "\"LlamaForCausalLM\"");
    bad.key("C6", llama(), "architectures", "[1]");
    bad.key("C6", llama(), "model_type", "1");
    Json without = llama();
    without.erase("model_type");
    bad.text("C6", without.dump(), "model_type: is missing");
    bad.unsupported("C10", llama(), "torch_dtype", "\"float8_e4m3fn\"", "\"float8_e4m3fn\"");
    bad.unsupported("C10", qwen3(), "dtype", "\"auto\"", "\"auto\"");
    bad.key("C10", llama(), "torch_dtype", "16");
}

void addNumbers(BadConfigs& bad) {
    for (const char* value : {"0", "-1.0", "\"NaN\"", "true", "[1]"}) {
        bad.key("C7", llama(), "rope_theta", value);
        bad.key("C7", llama(), "rms_norm_eps", value);
        for (const char* name : {"factor", "low_freq_factor", "high_freq_factor"}) {
            Json scaling = llama()["rope_scaling"];
            scaling[name] = Json::parse(value);
            bad.key("C7", llama(), "rope_scaling", scaling.dump(),
                    std::string("rope_scaling.") + name + ": ");
        }
    }
    for (const char* name : {"factor", "low_freq_factor", "high_freq_factor"}) {
        Json scaling = llama()["rope_scaling"];
        scaling.erase(name);
        bad.key("C7", llama(), "rope_scaling", scaling.dump(), "is missing");
    }
    bad.text("C7", R"({"model_type":"llama","rope_theta":1e999})", "byte");
    Json equal = llama()["rope_scaling"];
    equal["low_freq_factor"] = 4.0;
    bad.key("C7", llama(), "rope_scaling", equal.dump(), "above low_freq_factor");
    for (const char* type : {"linear", "dynamic", "yarn", "longrope", "proportional", "x"})
        bad.unsupported("C7", llama(), "rope_scaling",
                        R"({"factor":2.0,"type":")" + std::string(type) + "\"}",
                        "rope_scaling.rope_type: \"" + std::string(type) + "\"");
    bad.unsupported("C7", qwen3(), "rope_parameters", R"({"rope_type":"yarn","rope_theta":1e6,"factor":4.0})",
                    "\"yarn\"");
    bad.unsupported("C7", qwen3(), "rope_parameters", R"({"full_attention":{"rope_type":"default"}})",
                    "differ between layers");
    bad.unsupported("C7", llama(), "partial_rotary_factor", "0.5", "partial_rotary_factor");
    bad.key("C7", llama(), "rope_scaling", "[]");
    for (const char* name : {"bos_token_id", "eos_token_id"})
        for (const char* value :
             {"128256", "-1", "1.5", "\"2\"", "[128256]", "[0,-1]", "[[1]]", "18446744073709551615"})
            bad.key("C8", llama(), name, value);
    bad.key("C9", llama(), "tie_word_embeddings", "\"yes\"");
}

std::vector<Bad> badConfigs() {
    BadConfigs bad;
    addKinds(bad);
    addSizes(bad);
    addNumbers(bad);
    return bad.all;
}

}  // namespace

class TestModelConfig : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void refuses_data();
    void refuses();
    void readsLlama();
    void readsQwen2();
    void readsQwen3();
    void readsBothSpellingsAlike();
    void takesTheDefaultsOfTransformers();
    void acceptsSlidingWindowsThatAreOff();
    void readsBiases();
    void takesEosFromGenerationConfig();
    void cleanupTestCase();

private:
    int refused_ = 0;
    double slowest_ = 0;
};

void TestModelConfig::refuses_data() {
    QTest::addColumn<int>("index");
    int index = 0;
    for (const Bad& bad : badConfigs()) {
        QTest::addRow("%s %d %s", bad.rule.c_str(), index, bad.says.c_str()) << index;
        ++index;
    }
}

void TestModelConfig::refuses() {
    QFETCH(int, index);
    static const std::vector<Bad> all = badConfigs();
    const Bad& bad = all[static_cast<size_t>(index)];
    const auto refusal = refusalOf([&] { parseModelConfig(bad.text, "config.json"); });
    QVERIFY2(refusal, "accepted");
    QVERIFY2(refusal->kind == bad.kind, refusal->message.c_str());
    QVERIFY2(refusal->isOneLine() && refusal->message.starts_with("config.json: "), refusal->message.c_str());
    QVERIFY2(refusal->says(bad.says), refusal->message.c_str());
    QVERIFY(refusal->seconds < most_seconds);
    slowest_ = std::max(slowest_, refusal->seconds);
    ++refused_;
}

void TestModelConfig::readsLlama() {
    const ModelConfig config = parse(llama());
    QVERIFY(config.family == ModelFamily::llama);
    QCOMPARE(config.architecture, std::string("LlamaForCausalLM"));
    QCOMPARE(config.hidden_size, 2048);
    QCOMPARE(config.intermediate_size, 8192);
    QCOMPARE(config.num_hidden_layers, 16);
    QCOMPARE(config.head_dim, 64);
    QCOMPARE(config.kvWidth(), 512);
    QCOMPARE(config.max_position_embeddings, 131072);
    QCOMPARE(config.rms_norm_eps, 1e-5);
    QVERIFY(config.rope.kind == RopeConfig::Kind::llama3);
    QCOMPARE(config.rope.theta, 500000.0);
    QCOMPARE(config.rope.factor, 32.0);
    QCOMPARE(config.rope.low_freq_factor, 1.0);
    QCOMPARE(config.rope.high_freq_factor, 4.0);
    QCOMPARE(config.rope.original_max_position_embeddings, 8192);
    QVERIFY(config.tie_word_embeddings && !config.qkv_bias && !config.o_bias && !config.mlp_bias &&
            !config.qk_norm);
    QVERIFY(config.dtype == DType::bfloat16);
    QCOMPARE(config.bos_token_id.value(), 128000);
    QCOMPARE(config.eos_token_ids, (std::vector<int64_t>{128001, 128008, 128009}));
}

void TestModelConfig::readsQwen2() {
    const ModelConfig config = parse(qwen2());
    QVERIFY(config.family == ModelFamily::qwen2);
    QCOMPARE(config.head_dim, 64);
    QCOMPARE(config.kvWidth(), 128);
    QVERIFY(config.qkv_bias && !config.o_bias && !config.mlp_bias && !config.qk_norm);
    QVERIFY(config.rope.kind == RopeConfig::Kind::plain);
    QCOMPARE(config.rope.theta, 1e6);
    QCOMPARE(config.eos_token_ids, std::vector<int64_t>{151643});
}

void TestModelConfig::readsQwen3() {
    const ModelConfig config = parse(qwen3());
    QVERIFY(config.family == ModelFamily::qwen3);
    QCOMPARE(config.head_dim, 128);
    QCOMPARE(config.kvWidth(), 1024);
    QVERIFY(config.qk_norm && !config.qkv_bias && !config.o_bias);
    QCOMPARE(config.rope.theta, 1e6);
    QVERIFY(config.dtype == DType::bfloat16);
}

void TestModelConfig::readsBothSpellingsAlike() {
    Json five = llama();
    five["rope_parameters"] = five["rope_scaling"];
    five["rope_parameters"]["rope_theta"] = five["rope_theta"];
    five["dtype"] = "bfloat16";
    for (const char* name : {"rope_scaling", "rope_theta", "torch_dtype"})
        five.erase(name);
    Json oldest = llama();
    oldest["rope_scaling"]["type"] = "llama3";
    oldest["rope_scaling"].erase("rope_type");
    for (const Json& json : {five, oldest}) {
        const ModelConfig config = parse(json);
        QVERIFY(config.rope.kind == RopeConfig::Kind::llama3);
        QCOMPARE(config.rope.theta, 500000.0);
        QCOMPARE(config.rope.factor, 32.0);
        QVERIFY(config.dtype == DType::bfloat16);
    }
    // Precedence where both are written, as transformers 5 has it.
    Json both = qwen3();
    both["rope_theta"] = 5.0;
    QCOMPARE(parse(both).rope.theta, 1e6);
    both["rope_scaling"] = Json::object();
    QCOMPARE(parse(both).rope.theta, 1e6);
    both["rope_scaling"] = {{"rope_type", "default"}};
    QCOMPARE(parse(both).rope.theta, 5.0);
    both["torch_dtype"] = "float16";
    QVERIFY(parse(both).dtype == DType::bfloat16);
}

void TestModelConfig::takesTheDefaultsOfTransformers() {
    Json json = llama();
    for (const char* name :
         {"num_key_value_heads", "head_dim", "rope_scaling", "rope_theta", "tie_word_embeddings",
          "rms_norm_eps", "torch_dtype", "max_position_embeddings", "bos_token_id", "eos_token_id",
          "hidden_act", "architectures", "attention_bias", "mlp_bias"})
        json.erase(name);
    ModelConfig config = parse(json);
    QCOMPARE(config.num_key_value_heads, 32);
    QCOMPARE(config.head_dim, 64);
    QCOMPARE(config.rope.theta, 10000.0);
    QVERIFY(!config.tie_word_embeddings);
    QCOMPARE(config.rms_norm_eps, 1e-6);
    QVERIFY(config.dtype == DType::float32);
    QCOMPARE(config.max_position_embeddings, 2048);
    QCOMPARE(config.bos_token_id.value(), 1);
    QCOMPARE(config.eos_token_ids, std::vector<int64_t>{2});
    json["eos_token_id"] = nullptr;
    json["bos_token_id"] = nullptr;
    config = parse(json);
    QVERIFY(config.eos_token_ids.empty() && !config.bos_token_id);

    Json qwen = qwen3();
    qwen.erase("head_dim");
    QCOMPARE(parse(qwen).head_dim, 128);
    qwen["head_dim"] = nullptr;
    QCOMPARE(parse(qwen).head_dim, 64);
    Json no_scaling_limit = llama();
    no_scaling_limit["rope_scaling"].erase("original_max_position_embeddings");
    QCOMPARE(parse(no_scaling_limit).rope.original_max_position_embeddings, 131072);
}

void TestModelConfig::acceptsSlidingWindowsThatAreOff() {
    Json json = qwen2();
    json["use_sliding_window"] = true;
    json["max_window_layers"] = 24;  // from layer 24 on, of 24
    QVERIFY(!refusalOf([&] { parse(json); }));
    json["max_window_layers"] = 23;
    QVERIFY(refusalOf([&] { parse(json); }));
    json["sliding_window"] = nullptr;
    QVERIFY(!refusalOf([&] { parse(json); }));
}

void TestModelConfig::readsBiases() {
    Json json = llama();
    json["attention_bias"] = true;
    json["mlp_bias"] = true;
    QVERIFY(parse(json).qkv_bias && parse(json).o_bias && parse(json).mlp_bias);
    json = qwen3();
    json["attention_bias"] = true;
    QVERIFY(parse(json).qkv_bias && parse(json).o_bias);
    json = qwen2();
    json["attention_bias"] = true;  // fixed in that family's code
    QVERIFY(parse(json).qkv_bias && !parse(json).o_bias);
}

void TestModelConfig::takesEosFromGenerationConfig() {
    const QTemporaryDir dir;
    const std::filesystem::path folder = dir.path().toStdString();
    const auto write = [&](const char* name, const std::string& text) {
        std::ofstream(folder / name) << text;
    };
    QVERIFY(refusalOf([&] { readModelConfig(folder); })->kind == ErrorKind::not_found);
    write("config.json", qwen2().dump());
    QCOMPARE(readModelConfig(folder).eos_token_ids, std::vector<int64_t>{151643});
    write("generation_config.json", R"({"eos_token_id":[151645,151643],"temperature":0.7})");
    QCOMPARE(readModelConfig(folder).eos_token_ids, (std::vector<int64_t>{151645, 151643}));
    write("generation_config.json", R"({"temperature":0.7})");
    QCOMPARE(readModelConfig(folder).eos_token_ids, std::vector<int64_t>{151643});
    for (const char* text : {R"({"eos_token_id":151936})", "[]", "{", R"({"eos_token_id":"x"})"}) {
        write("generation_config.json", text);
        const auto refusal = refusalOf([&] { readModelConfig(folder); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format);
        QVERIFY2(refusal->says("generation_config.json") && refusal->isOneLine(), refusal->message.c_str());
    }
}

void TestModelConfig::cleanupTestCase() {
    std::set<std::string> rules;
    for (const Bad& bad : badConfigs())
        rules.insert(bad.rule);
    for (const char* rule : {"C1", "C2", "C3", "C4", "C6", "C7", "C8", "C9", "C10"})
        QVERIFY2(rules.contains(rule), rule);
    std::cout << "measured: config.json refused " << refused_ << ", slowest " << slowest_ << " s\n";
}

QTEST_GUILESS_MAIN(TestModelConfig)
#include "tst_model_config.moc"
