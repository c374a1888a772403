// config.json against hardening.md 3.3 (C rules), and what the three families' real files mean.

#include <QTemporaryDir>
#include <QtTest>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/io/model_config.h"
#include "tests/support/hostile_configs.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;
using Json = nlohmann::ordered_json;

namespace {

ModelConfig parse(const Json& json) {
    return parseModelConfig(json.dump(), "config.json");
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
    for (const BadConfig& bad : badConfigs()) {
        QTest::addRow("%s %d %s", bad.rule.c_str(), index, bad.says.c_str()) << index;
        ++index;
    }
}

void TestModelConfig::refuses() {
    QFETCH(int, index);
    static const std::vector<BadConfig> all = badConfigs();
    const BadConfig& bad = all[static_cast<size_t>(index)];
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
    const ModelConfig config = parse(llamaConfig());
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
    const ModelConfig config = parse(qwen2Config());
    QVERIFY(config.family == ModelFamily::qwen2);
    QCOMPARE(config.head_dim, 64);
    QCOMPARE(config.kvWidth(), 128);
    QVERIFY(config.qkv_bias && !config.o_bias && !config.mlp_bias && !config.qk_norm);
    QVERIFY(config.rope.kind == RopeConfig::Kind::plain);
    QCOMPARE(config.rope.theta, 1e6);
    QCOMPARE(config.eos_token_ids, std::vector<int64_t>{151643});
}

void TestModelConfig::readsQwen3() {
    const ModelConfig config = parse(qwen3Config());
    QVERIFY(config.family == ModelFamily::qwen3);
    QCOMPARE(config.head_dim, 128);
    QCOMPARE(config.kvWidth(), 1024);
    QVERIFY(config.qk_norm && !config.qkv_bias && !config.o_bias);
    QCOMPARE(config.rope.theta, 1e6);
    QVERIFY(config.dtype == DType::bfloat16);
}

void TestModelConfig::readsBothSpellingsAlike() {
    Json five = llamaConfig();
    five["rope_parameters"] = five["rope_scaling"];
    five["rope_parameters"]["rope_theta"] = five["rope_theta"];
    five["dtype"] = "bfloat16";
    for (const char* name : {"rope_scaling", "rope_theta", "torch_dtype"})
        five.erase(name);
    Json oldest = llamaConfig();
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
    Json both = qwen3Config();
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
    Json json = llamaConfig();
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

    Json qwen = qwen3Config();
    qwen.erase("head_dim");
    QCOMPARE(parse(qwen).head_dim, 128);
    qwen["head_dim"] = nullptr;
    QCOMPARE(parse(qwen).head_dim, 64);
    Json no_scaling_limit = llamaConfig();
    no_scaling_limit["rope_scaling"].erase("original_max_position_embeddings");
    QCOMPARE(parse(no_scaling_limit).rope.original_max_position_embeddings, 131072);
}

void TestModelConfig::acceptsSlidingWindowsThatAreOff() {
    Json json = qwen2Config();
    json["use_sliding_window"] = true;
    json["max_window_layers"] = 24;  // from layer 24 on, of 24
    QVERIFY(!refusalOf([&] { parse(json); }));
    json["max_window_layers"] = 23;
    QVERIFY(refusalOf([&] { parse(json); }));
    json["sliding_window"] = nullptr;
    QVERIFY(!refusalOf([&] { parse(json); }));
}

void TestModelConfig::readsBiases() {
    Json json = llamaConfig();
    json["attention_bias"] = true;
    json["mlp_bias"] = true;
    QVERIFY(parse(json).qkv_bias && parse(json).o_bias && parse(json).mlp_bias);
    json = qwen3Config();
    json["attention_bias"] = true;
    QVERIFY(parse(json).qkv_bias && parse(json).o_bias);
    json = qwen2Config();
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
    write("config.json", qwen2Config().dump());
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
    for (const BadConfig& bad : badConfigs())
        rules.insert(bad.rule);
    for (const char* rule : {"C1", "C2", "C3", "C4", "C6", "C7", "C8", "C9", "C10"})
        QVERIFY2(rules.contains(rule), rule);
    std::cout << "measured: config.json refused " << refused_ << ", slowest " << slowest_ << " s\n";
}

QTEST_GUILESS_MAIN(TestModelConfig)
#include "tst_model_config.moc"
