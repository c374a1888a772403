// Training sequences out of a corpus of ours and out of foreign lines.

#include <QTest>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/data/training_examples.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;

namespace {

using Ids = std::vector<int32_t>;

constexpr int32_t kBos = 256;
constexpr int32_t kEos = 257;

/// A byte is its id; BOS goes in front of a text.
Tokenizer tokenizer() {
    nlohmann::ordered_json json = smallTokenizer();
    json["added_tokens"] = {addedToken(kBos, "<s>"), addedToken(kEos, "</s>")};
    json["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single",
         {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
          {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
        {"pair", nlohmann::ordered_json::array()},
        {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {kBos}}, {"tokens", {"<s>"}}}}}}};
    json["post_processor"]["pair"] = {{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
                                      {{"Sequence", {{"id", "B"}, {"type_id", 1}}}}};
    return Tokenizer::parse(json.dump(), "tokenizer.json");
}

TrainingRules rules() {
    return {12, 302, {kEos, 7}, false};
}

std::string meta(const std::string& tokenizer_sha256, const std::string& format, const std::string& stop) {
    return R"({"stage":"generate","tokenizer_sha256":")" + tokenizer_sha256 + R"(","format":")" + format +
           R"(","stop":)" + stop + R"(,"model":{"eos_token_ids":[2,9]}})";
}

std::string record(const std::string& id, const std::string& ids, int count, const std::string& reason,
                   int prompt_tokens = 3) {
    return R"({"id":)" + id + R"(,"prompt":"ab","completion":"xy","completion_ids":[)" + ids +
           R"(],"finish_reason":")" + reason + R"(","prompt_tokens":)" + std::to_string(prompt_tokens) +
           R"(,"completion_tokens":)" + std::to_string(count) + "}\n";
}

}  // namespace

class TestTrainingExamples : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsGeneratedIds() {
        folder_.put("c.jsonl", record("\"a\"", "120,121,2", 3, "stop") + record("5", "120", 1, "length"));
        folder_.put("c.meta.json", meta(tokenizer_.sha256(), "raw", "[]"));
        const TrainingCorpus corpus = read();
        QCOMPARE(corpus.generated_ids, 2);
        QCOMPARE(corpus.examples[0].ids, (Ids{kBos, 'a', 'b', 120, 121, 2}));
        QCOMPARE(corpus.examples[0].prompt_tokens, 3);
        QVERIFY(corpus.examples[0].id == PromptId("a"));
        QCOMPARE(corpus.examples[1].ids, (Ids{kBos, 'a', 'b', 120}));
        QCOMPARE(corpus.tokens, 10);
        QCOMPARE(corpus.sha256, sha256OfFile(folder_ / "c.jsonl"));
        QVERIFY(corpus.made_by.at("stage") == "generate");
    }

    /// A run's corpus is a link to one that runs share; what made it stands beside that.
    void aLinkLeadsToWhatMadeTheCorpus() {
        std::filesystem::create_directory(folder_ / "shared");
        folder_.put("shared/s.jsonl", record("1", "120,121,2", 3, "stop"));
        folder_.put("shared/s.meta.json", meta(tokenizer_.sha256(), "raw", "[]"));
        std::filesystem::remove(folder_ / "c.jsonl");
        std::filesystem::remove(folder_ / "c.meta.json");
        std::filesystem::create_symlink("shared/s.jsonl", folder_ / "c.jsonl");
        const TrainingCorpus corpus = read();
        std::filesystem::remove(folder_ / "c.jsonl");
        QCOMPARE(corpus.generated_ids, 1);
        QVERIFY(corpus.made_by.at("stage") == "generate");
    }

    void renderedConversationsHaveTheirSpecialTokens() {
        folder_.put("c.jsonl", record("1", "120", 1, "length", 2));
        folder_.put("c.meta.json", meta(tokenizer_.sha256(), "chat", "[]"));
        QCOMPARE(read().examples[0].ids, (Ids{'a', 'b', 120}));
    }

    /// Another tokenizer, or nothing that says which: the text is tokenised, and how it ended decides over
    /// EOS.
    void tokenisesWhatOthersMade() {
        const std::string lines = record("1", "120,121,9", 3, "stop") + record("2", "120,121", 2, "stop") +
                                  record("3", "120,121", 2, "length");
        folder_.put("c.jsonl", lines);
        folder_.put("c.meta.json", meta("0123", "raw", R"(["x"])"));
        TrainingCorpus corpus = read();
        const Ids without = {kBos, 'a', 'b', 'x', 'y'};
        Ids with = without;
        with.push_back(kEos);
        QCOMPARE(corpus.generated_ids, 0);
        QCOMPARE(corpus.examples[0].ids, with);     // EOS of that model
        QCOMPARE(corpus.examples[1].ids, without);  // a stop string
        QCOMPARE(corpus.examples[2].ids, without);
        folder_.put("c.meta.json", meta("0123", "raw", "[]"));
        QCOMPARE(read().examples[1].ids, with);
        folder_.put("c.meta.json", "{\"stage\":7}");
        QCOMPARE(read().examples[0].ids, with);
        std::filesystem::remove(folder_ / "c.meta.json");
        corpus = read();
        QCOMPARE(corpus.examples[0].ids, with);
        QCOMPARE(corpus.examples[2].ids, without);
        QVERIFY(corpus.made_by.is_null());
    }

    void plainLines() {
        folder_.put("c.jsonl",
                    "{\"prompt\":\"ab\",\"completion\":\"x\"}\n\n{\"prompt\":\"\",\"completion\":\"y\","
                    "\"finish_reason\":\"length\"}\n");
        const TrainingCorpus corpus = read();
        QCOMPARE(corpus.examples[0].ids, (Ids{kBos, 'a', 'b', 'x', kEos}));
        QCOMPARE(corpus.examples[1].ids, (Ids{kBos, 'y'}));
        QVERIFY(corpus.examples[1].id == PromptId(int64_t{2}));
    }

    /// What a filter drops may be wrong in any other way: it is not trained on.
    void filters() {
        folder_.put("c.jsonl",
                    "{\"prompt\":\"ab\",\"completion\":\"x\\ny\"}\n"
                    "{\"prompt\":\"ab\",\"completion\":\" \"}\n"
                    "{\"prompt\":\"abcdefghijklmnop\",\"completion\":\"one line\"}\n"
                    "{\"prompt\":\"a\",\"completion\":\"z\\nz\"}\n");
        TrainingRules ssd = rules();
        ssd.filter = CorpusFilter::ssd;
        const TrainingCorpus corpus = readTrainingCorpus(folder_ / "c.jsonl", tokenizer_, ssd);
        QCOMPARE(corpus.examples.size(), size_t{2});
        QCOMPARE(corpus.examples[0].ids, (Ids{kBos, 'a', 'b', 'x', '\n', 'y', kEos}));
        QVERIFY(corpus.examples[1].id == PromptId(int64_t{3}));
        QCOMPARE(corpus.filtered.describe(),
                 std::string("2 of 4 completions kept (left out: empty 1, single line 1, shortest 0)"));
        folder_.put("c.jsonl", "{\"prompt\":\"ab\",\"completion\":\"x\"}\n");
        QVERIFY_EXCEPTION_THROWN(readTrainingCorpus(folder_ / "c.jsonl", tokenizer_, ssd), Error);
    }

    void refusals() {
        folder_.put("c.jsonl",
                    "{\"prompt\":\"a\",\"completion\":\"b\"}\n"
                    "{\"prompt\":\"abcdefgh\",\"completion\":\"ijkl\"}\n"
                    "{\"prompt\":\"a\"}\n"
                    "{\"id\":0,\"prompt\":\"a\",\"completion\":\"b\"}\n" +
                        record("9", "400", 1, "stop") + record("10", "120", 1, "stop", 8));
        folder_.put("c.meta.json", meta(tokenizer_.sha256(), "raw", "[]"));
        try {
            read();
            QFAIL("not refused");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::file_format);
            const std::vector<std::string>& lines = error.details();
            QCOMPARE(lines.size(), size_t{5});
            const auto says = [&](size_t line, const char* text) {
                return lines[line].find(text) != std::string::npos;
            };
            QVERIFY2(says(0, "line 2: 14 tokens, the model has 12 positions"), lines[0].c_str());
            QVERIFY2(says(1, "line 3: no field \"completion\""), lines[1].c_str());
            QVERIFY2(says(2, "line 4: id 0 is already that of line 1"), lines[2].c_str());
            QVERIFY2(says(3, "line 5: token 400 has no row"), lines[3].c_str());
            QVERIFY2(says(4, "line 6: the prompt has 3 tokens, but \"prompt_tokens\" is 8"),
                     lines[4].c_str());
        }
        std::filesystem::remove(folder_ / "c.meta.json");
    }

    void somethingMustCount() {
        folder_.put("c.jsonl", "{\"prompt\":\"ab\",\"completion\":\"\",\"finish_reason\":\"length\"}\n");
        TrainingRules only = rules();
        QCOMPARE(read().examples[0].ids, (Ids{kBos, 'a', 'b'}));
        only.completion_only = true;
        QVERIFY_EXCEPTION_THROWN(readTrainingCorpus(folder_ / "c.jsonl", tokenizer_, only), Error);
        folder_.put("c.jsonl", "{\"prompt\":\"\",\"completion\":\"\",\"finish_reason\":\"length\"}\n");
        QVERIFY_EXCEPTION_THROWN(read(), Error);
    }

private:
    TrainingCorpus read() const { return readTrainingCorpus(folder_ / "c.jsonl", tokenizer_, rules()); }

    const TemporaryFolder folder_;
    const Tokenizer tokenizer_ = tokenizer();
};

QTEST_GUILESS_MAIN(TestTrainingExamples)
#include "tst_training_examples.moc"
