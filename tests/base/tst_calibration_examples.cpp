// Calibration examples out of JSON Lines: which tokens a span holds, and what is refused.

#include <QTest>

#include "core/data/calibration_examples.h"
#include "tests/support/refusal.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;

namespace {

constexpr int kBos = 259;
constexpr int kEos = 260;
constexpr ExampleLimits kLimits = {.positions = 64, .vocabulary = 261};

/// All bytes, the words of the texts below as single tokens, <s> and </s> as special tokens.
nlohmann::ordered_json plainTokenizer() {
    nlohmann::ordered_json json =
        smallTokenizer({"\xC4\xA0"
                        "48",
                        "ab"});  // " 48" and "ab", as byte characters
    json["added_tokens"] = {addedToken(kBos, "<s>"), addedToken(kEos, "</s>")};
    return json;
}

/// <s> before and </s> after the text, as a tokenizer.json may ask for.
nlohmann::ordered_json framingTokenizer() {
    nlohmann::ordered_json json = plainTokenizer();
    const auto special = [](const char* id) {
        return nlohmann::ordered_json{{"SpecialToken", {{"id", id}, {"type_id", 0}}}};
    };
    const nlohmann::ordered_json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
    json["post_processor"] = {{"type", "TemplateProcessing"},
                              {"single", {special("<s>"), text, special("</s>")}},
                              {"pair", {special("<s>"), text, special("</s>")}},
                              {"special_tokens",
                               {{"<s>", {{"id", "<s>"}, {"ids", {kBos}}, {"tokens", {"<s>"}}}},
                                {"</s>", {{"id", "</s>"}, {"ids", {kEos}}, {"tokens", {"</s>"}}}}}}};
    return json;
}

Tokenizer tokenizer(const nlohmann::ordered_json& json = plainTokenizer()) {
    return Tokenizer::parse(json.dump(), "tokenizer.json");
}

using Ids = std::vector<int32_t>;
using Positions = std::vector<int64_t>;

CalibrationExample only(const std::string& line, const Tokenizer& tokens = tokenizer()) {
    const TemporaryFolder folder;
    return readCalibrationExamples(folder.put("e.jsonl", line), tokens, kLimits).at(0);
}

}  // namespace

class TestCalibrationExamples : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// " 48" is one token: its blank belongs to it.
    void tokensThatMeetTheSpan() {
        const Tokenizer tokens = tokenizer();
        const int32_t number = tokens.idOf(
            "\xC4\xA0"
            "48");
        QVERIFY(number > 255);
        // x - 48 .
        const CalibrationExample example =
            only(R"({"id":"e","prompt":"x-","completion":" 48.","spans":[[1,3]]})");
        QCOMPARE(toText(example.id), "\"e\""s);
        QCOMPARE(example.input_ids, (Ids{'x', '-', number, '.'}));
        QCOMPARE(example.target_positions, Positions{2});
        QCOMPARE(example.prompt_tokens, int64_t{2});
        // The blank alone meets the token; its neighbours do not.
        const auto positions = [&](const char* spans) {
            return only(R"({"prompt":"x-","completion":" 48.","spans":)"s + spans + "}").target_positions;
        };
        QCOMPARE(positions("[[0,1]]"), Positions{2});
        QCOMPARE(positions("[[3,4]]"), Positions{3});
        QCOMPARE(positions("[[2,4]]"), (Positions{2, 3}));
        QCOMPARE(positions("[[3,4],[0,1]]"), (Positions{2, 3}));
        QCOMPARE(positions("[[0,4],[1,2]]"), (Positions{2, 3}));
    }

    /// A token that begins in the prompt and ends in the completion belongs to the completion.
    void tokenAcrossTheBorder() {
        const CalibrationExample example = only(R"({"prompt":"xa","completion":"bc","spans":[[0,1]]})");
        QCOMPARE(example.input_ids.size(), size_t{3});  // x ab c
        QCOMPARE(example.target_positions, Positions{1});
        QCOMPARE(example.prompt_tokens, int64_t{1});
    }

    /// Spans count code points: é is one of two bytes, 😀 one of four, and each byte is a token here.
    void spansCountCodePoints() {
        const auto positions = [](const char* spans) {
            return only("{\"prompt\":\"\xC3\xA9\",\"completion\":\"\xC3\xA9\xF0\x9F\x98\x80z\",\"spans\":"s +
                        spans + "}")
                .target_positions;
        };
        QCOMPARE(positions("[[0,1]]"), (Positions{2, 3}));
        QCOMPARE(positions("[[1,2]]"), (Positions{4, 5, 6, 7}));
        QCOMPARE(positions("[[2,3]]"), Positions{8});
        QCOMPARE(positions("[[0,3]]"), (Positions{2, 3, 4, 5, 6, 7, 8}));
    }

    /// The post-processor's BOS is there once, its EOS never; a text that begins with BOS gets no second one.
    void bosAndNoEos() {
        const Tokenizer framing = tokenizer(framingTokenizer());
        QCOMPARE(framing.encode("x"), (Ids{kBos, 'x', kEos}));
        const CalibrationExample plain = only(R"({"prompt":"","completion":"xy","spans":[[0,1]]})", framing);
        QCOMPARE(plain.input_ids, (Ids{kBos, 'x', 'y'}));
        QCOMPARE(plain.target_positions, Positions{1});
        QCOMPARE(plain.prompt_tokens, int64_t{1});
        const CalibrationExample own = only(R"({"prompt":"<s>x","completion":"y","spans":[[0,1]]})", framing);
        QCOMPARE(own.input_ids, (Ids{kBos, 'x', 'y'}));
        QCOMPARE(own.target_positions, Positions{2});
        // An EOS that is written is text like any other.
        QCOMPARE(only(R"({"prompt":"x","completion":"y</s>","spans":[[0,5]]})", framing).target_positions,
                 (Positions{2, 3}));
    }

    void idsAsTheyAre() {
        const CalibrationExample example =
            only(R"({"id":7,"input_ids":[5,260,5,0],"target_positions":[3,1]})");
        QCOMPARE(toText(example.id), "7"s);
        QCOMPARE(example.input_ids, (Ids{5, 260, 5, 0}));
        QCOMPARE(example.target_positions, (Positions{1, 3}));
        QCOMPARE(example.prompt_tokens, CalibrationExample::kUnknown);
    }

    void bothFormsInOneFile() {
        const TemporaryFolder folder;
        const auto examples = readCalibrationExamples(
            folder.put("e.jsonl",
                       "{\"input_ids\":[1,2],\"target_positions\":[1]}\r\n\n"
                       "{\"prompt\":\"x\",\"completion\":\"y\",\"spans\":[[0,1]],\"more\":1}"),
            tokenizer(), kLimits);
        QCOMPARE(examples.size(), size_t{2});
        QVERIFY(toText(examples[0].id) == "0" && toText(examples[1].id) == "2");
    }

    void refusedRows_data() {
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const std::string& text, const char* rule) {
            QTest::newRow(text.substr(0, 60).c_str()) << QByteArray::fromStdString(text) << QByteArray(rule);
        };
        row("{}", R"(no field "prompt")");
        row(R"({"Prompt":"x"})", R"(no field "prompt"; there is "Prompt")");
        row(R"({"prompt":"x"})", R"(no field "completion")");
        row(R"({"prompt":"x","completion":"y"})", R"(no field "spans")");
        row(R"({"prompt":1,"completion":"y","spans":[[0,1]]})", R"("prompt" is to be a string)");
        row(R"({"prompt":"x","completion":"","spans":[[0,1]]})", R"("completion" is empty)");
        const auto spans = [&](const char* text, const char* rule) {
            row(R"({"prompt":"x","completion":"yz","spans":)"s + text + "}", rule);
        };
        spans("{}", "list of pairs");
        spans("[]", R"("spans" is empty)");
        spans("[0,1]", "pairs of integers");
        spans("[[0]]", "pairs of integers");
        spans("[[0,1,2]]", "pairs of integers");
        spans("[[0,1.0]]", "pairs of integers");
        spans("[[0,\"1\"]]", "pairs of integers");
        spans("[[0,1],null]", "pairs of integers");
        spans("[[-1,1]]", "span [-1, 1) is outside the completion, which has 2 characters");
        spans("[[0,3]]", "span [0, 3) is outside");
        spans("[[1,1]]", "span [1, 1) is empty");
        spans("[[2,1]]", "span [2, 1) is empty");
        spans("[[2,2]]", "span [2, 2) is empty");
        spans("[[9223372036854775807,1]]", "is empty");
        row(R"({"prompt":"","completion":"yz","spans":[[0,1]]})", "the first token, which nothing predicts");
        row(R"({"prompt":"x","input_ids":[1,2],"target_positions":[1]})", "fields of both forms");
        row(R"({"input_ids":[1,2]})", R"(no field "target_positions")");
        row(R"({"target_positions":[1]})", R"(no field "input_ids")");
        row(R"({"input_ids":[],"target_positions":[1]})", "1 is outside the 0 tokens");
        row(R"({"input_ids":[1,261],"target_positions":[1]})", "261 is outside the model's embedding of 261");
        row(R"({"input_ids":[1,-1],"target_positions":[1]})", "-1 is outside");
        row(R"({"input_ids":[1,2],"target_positions":[]})", R"("target_positions" is empty)");
        row(R"({"input_ids":[1,2],"target_positions":[2]})", "2 is outside the 2 tokens");
        row(R"({"input_ids":[1,2],"target_positions":[-1]})", "-1 is outside the 2 tokens");
        row(R"({"input_ids":[1,2],"target_positions":[1,0]})", "0 is the first token");
        row(R"({"input_ids":[1,2],"target_positions":[1,1]})", "1 is there twice");
        row(R"({"input_ids":[1,2],"target_positions":[1.0]})", "is to hold integers");
        row(R"({"id":"a","input_ids":[1,2],"target_positions":[1]})", R"(id "a" is already that of line 1)");
        row(R"({"id":null,"input_ids":[1,2],"target_positions":[1]})", R"("id" is to be)");
        row(R"({"prompt":")" + std::string(64, '.') + R"(","completion":"y","spans":[[0,1]]})",
            "the example has 65 tokens, the model 64 positions");
    }
    void refusedRows() {
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, rule);
        const TemporaryFolder folder;
        const auto path =
            folder.put("e.jsonl", "{\"id\":\"a\",\"input_ids\":[1,2],\"target_positions\":[1]}\n" +
                                      row.toStdString() + "\n");
        const auto refusal = refusalOf([&] { readCalibrationExamples(path, tokenizer(), kLimits); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine());
        QVERIFY2(
            refusal->message.starts_with(path.native() + ": line 2: ") && refusal->says(rule.toStdString()),
            refusal->message.c_str());
    }

    /// At the limits, not over them.
    void longestExampleAndLargestId() {
        const auto example =
            only(R"({"prompt":")" + std::string(63, '.') + R"(","completion":"y","spans":[[0,1]]})");
        QCOMPARE(example.input_ids.size(), size_t{64});
        const TemporaryFolder folder;
        const auto path = folder.put("e.jsonl", R"({"prompt":"x","completion":"</s>","spans":[[0,1]]})");
        const auto refusal = refusalOf(
            [&] { readCalibrationExamples(path, tokenizer(), {.positions = 64, .vocabulary = 260}); });
        QVERIFY(refusal && refusal->says("token 260 of the tokenizer has no row"));
    }

    void everyBadRowIsListed() {
        const TemporaryFolder folder;
        const auto path =
            folder.put("e.jsonl", "{}\n{\"prompt\":1}\n{\"input_ids\":[1,2],\"target_positions\":[1]}\n[]\n");
        const auto refusal = refusalOf([&] { readCalibrationExamples(path, tokenizer(), kLimits); });
        QVERIFY(refusal && refusal->details == 3);
    }
};

QTEST_GUILESS_MAIN(TestCalibrationExamples)
#include "tst_calibration_examples.moc"
