// What a run learns from and is asked: selection by seed, overlap, leaks.

#include <QTest>
#include <algorithm>
#include <set>

#include "core/data/permutation.h"
#include "core/data/tasks/evaluation_questions.h"
#include "tests/support/refusal.h"
#include "tests/support/small_tokenizer.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;

namespace {

constexpr ExampleLimits kLimits = {.positions = 100'000, .vocabulary = 256};

const PromptTemplates& templates() {
    static const PromptTemplates shipped = PromptTemplates::open();
    return shipped;
}

const Tokenizer& bytes() {
    static const Tokenizer tokenizer = Tokenizer::parse(smallTokenizer().dump(), "tokenizer.json");
    return tokenizer;
}

CalibrationSet calibrationOf(const TaskSplit& split, int64_t n, uint64_t seed = 42,
                             const ExampleLimits& limits = kLimits) {
    return selectCalibration(split, n, seed, {}, templates(), bytes(), limits);
}

std::vector<PromptId> idsOf(const std::vector<TaskPrompt>& prompts) {
    std::vector<PromptId> ids;
    for (const TaskPrompt& prompt : prompts)
        ids.push_back(prompt.id);
    return ids;
}

/// Ten questions; those with an odd number have no "####".
std::string halfUsable() {
    std::string lines;
    for (int i = 0; i < 10; ++i)
        lines += "{\"id\":" + std::to_string(i) + ",\"question\":\"q" + std::to_string(i) +
                 "\",\"answer\":\"" + (i % 2 == 0 ? "#### 4" : "4") + "\"}\n";
    return lines;
}

}  // namespace

class TestTaskData : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void calibrationIsTheFirstOfThePermutation() {
        const TaskSplit split = openTaskSplit(TaskKind::math, "", templates());
        QCOMPARE(split.set.name, "gsm8k/train"s);
        const CalibrationSet few = calibrationOf(split, 20);
        const CalibrationSet many = calibrationOf(split, 50);
        QVERIFY(few.examples[0].id == PromptId("gsm8k/train/7457"s));
        QVERIFY(few.examples[1].id == PromptId("gsm8k/train/1427"s));
        QVERIFY(std::equal(few.rows.begin(), few.rows.end(), many.rows.begin()));
        QCOMPARE(many.examples.size(), size_t{50});
        QVERIFY(few.left_out.empty());
        QVERIFY(calibrationOf(split, 20, 43).rows != few.rows);
        QVERIFY(few.record["task"] == "math");
        QVERIFY(few.record["examples"] == 20);
        QVERIFY(few.record["seed"] == 42);
        QCOMPARE(few.record["data_sha256"].get<std::string>(), split.set.sha256);
        QVERIFY(few.record["examples_sha256"] != many.record["examples_sha256"]);
        QCOMPARE(calibrationOf(split, 20).record.dump(), few.record.dump());
    }

    void otherTasks() {
        for (const auto& [task, name] :
             {std::pair(TaskKind::code, "mbpp/train"), {TaskKind::qa, "mmlu/train"}}) {
            const TaskSplit split = openTaskSplit(task, "", templates());
            QCOMPARE(split.set.name, std::string(name));
            QCOMPARE(static_cast<int64_t>(split.set.rows.size()), defaultTrainingSize(task));
            QCOMPARE(calibrationOf(split, 50).examples.size(), size_t{50});
            QCOMPARE(calibrationOf(split, 2).record.contains("code_span"), task == TaskKind::code);
        }
    }

    void rowsWithoutSpansAreLeftOut() {
        const TemporaryFolder folder;
        const TaskSplit split =
            openTaskSplit(TaskKind::math, folder.put("h.jsonl", halfUsable()).native(), templates());
        const CalibrationSet set = calibrationOf(split, 5);
        std::set<size_t> rows(set.rows.begin(), set.rows.end());
        QCOMPARE(rows, (std::set<size_t>{0, 2, 4, 6, 8}));
        for (const LeftOutRow& row : set.left_out)
            QVERIFY(std::get<int64_t>(row.id) % 2 == 1 && row.reason == "no number after ####");
        QCOMPARE(set.record["left_out"].size(), set.left_out.size());
        const auto refusal = refusalOf([&] { calibrationOf(split, 6); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format && refusal->details == 5);
        QVERIFY2(refusal->says("5 usable calibration examples, 6 are wanted; 5 left out"),
                 refusal->message.c_str());
        const auto too_many = refusalOf([&] { calibrationOf(split, 11); });
        QVERIFY(too_many && too_many->kind == ErrorKind::invalid_argument && too_many->says("10 rows"));
        QVERIFY(refusalOf([&] { calibrationOf(split, 0); })->kind == ErrorKind::invalid_argument);
    }

    void tooLongForTheModel() {
        const TaskSplit split = openTaskSplit(TaskKind::math, "", templates());
        const CalibrationSet set = calibrationOf(split, 10, 42, {.positions = 400, .vocabulary = 256});
        QVERIFY(!set.left_out.empty());
        for (const LeftOutRow& row : set.left_out)
            QVERIFY2(row.reason.find("the model 400 positions") != std::string::npos, row.reason.c_str());
        for (const CalibrationExample& example : set.examples)
            QVERIFY(example.input_ids.size() <= 400);
    }

    void training() {
        const TaskSplit split = openTaskSplit(TaskKind::math, "", templates());
        const CalibrationSet calibration = calibrationOf(split, 32);
        const TrainingPrompts all = selectTraining(split, 0, 42, calibration, false, templates());
        QCOMPARE(all.prompts.size(), size_t{7473});
        QCOMPARE(all.overlap, int64_t{32});
        QVERIFY(all.prompts[3].id == PromptId("gsm8k/train/3"s));
        QVERIFY(all.prompts[0].prompt.starts_with("Question: Natalia sold clips") &&
                all.prompts[0].prompt.ends_with("\nAnswer:"));
        const TrainingPrompts few = selectTraining(split, 48, 42, calibration, false, templates());
        QCOMPARE(few.prompts.size(), size_t{48});
        QCOMPARE(few.overlap, int64_t{32});
        QVERIFY(few.record["calibration_overlap"] == 32);
        std::vector<int64_t> rows = permutation(7473, 42, kTaskRows);
        rows.resize(48);
        std::sort(rows.begin(), rows.end());
        for (size_t i = 0; i < rows.size(); ++i)
            QVERIFY(few.prompts[i].id == PromptId("gsm8k/train/" + std::to_string(rows[i])));
    }

    void disjointTraining() {
        const TaskSplit split = openTaskSplit(TaskKind::math, "", templates());
        const CalibrationSet calibration = calibrationOf(split, 32);
        const TrainingPrompts few = selectTraining(split, 48, 42, calibration, true, templates());
        QCOMPARE(few.prompts.size(), size_t{48});
        QCOMPARE(few.overlap, int64_t{0});
        const TrainingPrompts all = selectTraining(split, 0, 42, calibration, true, templates());
        QCOMPARE(all.prompts.size(), size_t{7473 - 32});
        QVERIFY(all.record["disjoint"] == true);
        const auto refusal =
            refusalOf([&] { selectTraining(split, 7473, 42, calibration, true, templates()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument);
        QVERIFY2(refusal->says("has 7441 rows besides the calibration examples"), refusal->message.c_str());
        QVERIFY(refusalOf([&] { selectTraining(split, 7474, 42, calibration, false, templates()); }));
    }

    /// Disjoint means other questions, not only other rows.
    void disjointByPrompt() {
        const TemporaryFolder folder;
        const auto path = folder.put("d.jsonl", R"({"question":"a  b","answer":"#### 1"}
{"question":"a b ","answer":"#### 1"}
{"question":"c","answer":"#### 1"}
)");
        const TaskSplit split = openTaskSplit(TaskKind::math, path.native(), templates());
        for (uint64_t seed = 0; seed < 8; ++seed) {
            const CalibrationSet one = calibrationOf(split, 1, seed);
            const size_t others = one.rows[0] == 2 ? 2 : 1;
            QCOMPARE(selectTraining(split, 0, seed, one, true, templates()).prompts.size(), others);
            QCOMPARE(selectTraining(split, 0, seed, one, false, templates()).overlap, int64_t{1});
        }
    }

    void everyBadRowIsListed() {
        const TemporaryFolder folder;
        const auto path = folder.put("b.jsonl", "{\"question\":\"q\"}\n{}\n\n{\"question\":7}\n").native();
        const auto refusal = refusalOf([&] { openTaskSplit(TaskKind::math, path, templates()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format && refusal->details == 2);
        QCOMPARE(refusal->message, path + ": line 2: no field \"question\" (and 1 more bad row)");
        const auto empty = folder.put("e.jsonl", "{\"prompt\":\"\"}\n").native();
        QCOMPARE(refusalOf([&] { openTaskSplit(TaskKind::math, empty, templates()); })->message,
                 empty + ": line 1: the prompt is empty");
    }

    void questions() {
        const EvaluationQuestions twenty = evaluationQuestions("gsm8k", 20, templates());
        QCOMPARE(twenty.questions.size(), size_t{20});
        for (size_t i = 0; i < 3; ++i)
            QCOMPARE(std::get<std::string>(twenty.questions[i].task.id), "gsm8k/test/"s + (i == 0   ? "46"
                                                                                           : i == 1 ? "124"
                                                                                                    : "230"));
        QVERIFY(twenty.questions[0].task.prompt.starts_with("Question: "));
        QVERIFY(twenty.record["questions"] == 20);
        QCOMPARE(evaluationQuestions("gsm8k", 0, templates()).questions.size(), size_t{100});
        QCOMPARE(evaluationQuestions("gsm8k", 5000, templates()).questions.size(), size_t{1319});
        const EvaluationQuestions all = evaluationQuestions("gsm8k", 1319, templates());
        QCOMPARE(all.questions[0].gold, "18"s);
        QVERIFY(std::none_of(all.questions.begin(), all.questions.end(), [](const auto& question) {
            return question.gold.find(',') != std::string::npos;
        }));
        QCOMPARE(evaluationQuestions("mmlu", 0, templates()).questions.size(), size_t{200});
        QCOMPARE(evaluationQuestions("svamp", 0, templates()).questions.size(), size_t{100});
        QCOMPARE(evaluationQuestions("mbpp", 0, templates()).questions.size(), size_t{257});
        QVERIFY(refusalOf([] { evaluationQuestions("math", 1, templates()); })->kind ==
                ErrorKind::invalid_argument);
        QVERIFY(refusalOf([] { evaluationQuestions("gsm8k", -1, templates()); })->kind ==
                ErrorKind::invalid_argument);
    }

    /// The paper's own pairs of data sets hold no question twice.
    void shippedSetsDoNotLeak() {
        for (const auto& [task, evaluation] : {std::pair(TaskKind::math, "gsm8k"),
                                               {TaskKind::math, "svamp"},
                                               {TaskKind::code, "mbpp"},
                                               {TaskKind::qa, "mmlu"}}) {
            const TaskSplit split = openTaskSplit(task, "", templates());
            const CalibrationSet calibration = calibrationOf(split, 50);
            const TrainingPrompts training = selectTraining(split, 0, 42, calibration, false, templates());
            const EvaluationQuestions asked = evaluationQuestions(evaluation, 100'000, templates());
            refuseLeaks(training.prompts, "training", promptsOf(asked), evaluation);
            refuseLeaks(promptsOf(split, calibration), "calibration", promptsOf(asked), evaluation);
        }
    }

    void leaks() {
        const std::vector<TaskPrompt> asked = {{"a"s, true, "What  is\tit?"}, {int64_t{1}, false, "x"}};
        const auto refusal = [&](const std::vector<TaskPrompt>& used) {
            const auto found = refusalOf([&] { refuseLeaks(used, "training prompts", asked, "gsm8k"); });
            return found && found->kind == ErrorKind::invalid_argument ? found->message : "accepted"s;
        };
        QCOMPARE(
            refusal({{"b"s, true, " What is it?\n"}}),
            R"(1 of the training prompts is also asked in the evaluation gsm8k: "b" has the prompt of "a")"s);
        QCOMPARE(
            refusal({{"c"s, true, "y"}, {"a"s, true, "z"}, {"d"s, true, "x"}}),
            R"(2 of the training prompts are also asked in the evaluation gsm8k: "a" has the id of a question)"s);
        // A line's number is no name.
        QCOMPARE(refusal({{int64_t{1}, false, "y"}, {int64_t{1}, true, "y"}}), "accepted"s);
        QCOMPARE(refusal({{"a"s, false, "y"}, {"b"s, true, "what is it?"}}), "accepted"s);
        QCOMPARE(idsOf(asked).size(), size_t{2});
    }
};

QTEST_GUILESS_MAIN(TestTaskData)
#include "tst_task_data.moc"
