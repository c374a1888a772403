#include "views/calibration/calibration_choice.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <algorithm>

#include "views/shared/form/field.h"
#include "views/shared/numbers.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

constexpr int64_t kRowsOfAnswer = 500;

QString tr(const char* text) {
    return QCoreApplication::translate("CalibrationPage", text);
}

void addSource(const CalibrationChoice& choice, ordered_json& params) {
    if (choice.task.empty()) {
        params["path"] = choice.path;
        return;
    }
    params["task"] = choice.task;
    if (!choice.data.empty())
        params["data"] = choice.data;
    params["n"] = choice.n;
    params["seed"] = choice.seed;
    if (choice.task == "code") {
        params["code_span"] = choice.code_span;
        params["tests_in_prompt"] = choice.tests_in_prompt;
    }
}

/// A word as a POSIX shell takes it.
QString quoted(const std::string& word) {
    return shellWord(QString::fromStdString(word));
}

QString sourceWords(const CalibrationChoice& choice, bool edited) {
    if (edited)
        return QStringLiteral(" --examples calibration_examples.jsonl");
    if (choice.task.empty())
        return QStringLiteral(" --examples ") + quoted(choice.path);
    QString words = QStringLiteral(" --task ") + quoted(choice.task);
    if (!choice.data.empty())
        words += QStringLiteral(" --data ") + quoted(choice.data);
    words += QStringLiteral(" --n %1 --seed %2").arg(choice.n).arg(choice.seed);
    if (choice.task == "code" && choice.code_span != CalibrationChoice{}.code_span)
        words += QStringLiteral(" --code-span ") + quoted(choice.code_span);
    if (choice.task == "code" && choice.tests_in_prompt)
        words += QStringLiteral(" --tests-in-prompt");
    return words;
}

}  // namespace

std::vector<std::string> evaluationsOf(const std::string& task) {
    if (task == "math")
        return {"gsm8k", "svamp"};
    if (task == "code")
        return {"mbpp"};
    if (task == "qa")
        return {"mmlu", "bbh"};
    return {};
}

ordered_json examplesParams(const CalibrationChoice& choice, const std::string& model, int64_t from) {
    ordered_json params = {{"model", model}};
    addSource(choice, params);
    params["from"] = from;
    params["limit"] = kRowsOfAnswer;
    if (!choice.task.empty())
        params["evaluate"] = evaluationsOf(choice.task);
    return params;
}

ordered_json runParams(const CalibrationChoice& choice, const std::string& model,
                       const ordered_json& examples) {
    ordered_json params = {{"model", model}};
    if (examples.is_null())
        addSource(choice, params);
    else
        params["examples"] = examples;
    params["layers"] = choice.layers;
    params["loss"] = choice.loss;
    params["site"] = choice.site;
    params["per_head"] = choice.per_head;
    params["dtype"] = choice.dtype;
    return params;
}

QString commandLine(const CalibrationChoice& choice, const std::string& model, bool edited) {
    QString words = QStringLiteral("spd calibrate ") + quoted(model.empty() ? "MODEL" : model) +
                    sourceWords(choice, edited) + QStringLiteral(" --layers ") + quoted(choice.layers);
    const CalibrationChoice usual;
    if (choice.loss != usual.loss)
        words += QStringLiteral(" --loss ") + quoted(choice.loss);
    if (choice.site != usual.site)
        words += QStringLiteral(" --site ") + quoted(choice.site);
    if (choice.per_head)
        words += QStringLiteral(" --per-head");
    if (choice.dtype != usual.dtype)
        words += QStringLiteral(" --dtype ") + quoted(choice.dtype);
    return words + QStringLiteral(" --out calibration");
}

QString problemOf(const CalibrationChoice& choice, const std::string& model, int64_t usable_examples) {
    static const QRegularExpression layers(QStringLiteral("^(all|last_mid|\\d+(,\\d+)*)$"));
    if (model.empty())
        return tr("Choose a model first.");
    if (choice.task.empty() && choice.path.empty())
        return tr("Name a file of examples, or pick a task.");
    if (!layers.match(QString::fromStdString(choice.layers)).hasMatch())
        return tr("Layers must be all, last_mid or numbers from 0 with commas: 11,23.");
    if (usable_examples == 0)
        return tr("No picked example has a correctness span.");
    return {};
}

std::vector<LeakageLine> leakageLines(const protocol::ExampleOverlap& overlap, const std::string& task,
                                      int64_t examples) {
    std::vector<LeakageLine> lines;
    for (const protocol::Leak& leak : overlap.leaks) {
        LeakageLine line{.bad = true, .text = QString::fromStdString(leak.message), .details = {}};
        for (const std::string& detail : leak.details)
            line.details.push_back(QString::fromStdString(detail));
        lines.push_back(std::move(line));
    }
    for (const std::string& evaluation : evaluationsOf(task)) {
        const bool leaks = std::any_of(overlap.leaks.begin(), overlap.leaks.end(),
                                       [&](const protocol::Leak& leak) { return leak.task == evaluation; });
        if (!leaks)
            lines.push_back({.bad = false,
                             .text = tr("%1: no example shares an id or a prompt with its questions.")
                                         .arg(QString::fromStdString(evaluation)),
                             .details = {}});
    }
    lines.push_back(
        {.bad = false,
         .text = tr("%1 of %2 examples are among the %3 training prompts too. The paper trains on "
                    "the whole split, so this is usual; it is recorded with the run.")
                     .arg(formatCount(overlap.also_trained_on), formatCount(examples),
                          formatCount(overlap.training_prompts)),
         .details = {}});
    return lines;
}

}  // namespace spd
