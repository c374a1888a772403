#pragma once

#include <QString>
#include <QStringList>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/protocol/answers/calibration.h"

namespace spd {

/// Which examples, and how they are measured: the options of spd calibrate.
struct CalibrationChoice {
    std::string task = "math";  ///< empty: the examples of `path`
    std::string path;           ///< JSON Lines, the engine's
    std::string data;           ///< of the task; empty: its own
    int64_t n = 50;
    int64_t seed = 42;
    std::string code_span = "first_assertion";
    bool tests_in_prompt = false;

    std::string loss = "aligned";
    std::string site = "proj";
    std::string layers = "all";  ///< one pass measures them all: layers are picked on the next page
    bool per_head = false;
    std::string dtype = "float32";

    bool operator==(const CalibrationChoice&) const = default;
};

/// Evaluations of the task whose questions may not be among the examples.
std::vector<std::string> evaluationsOf(const std::string& task);

/// Params of calibration.examples, from row `from` on.
nlohmann::ordered_json examplesParams(const CalibrationChoice& choice, const std::string& model,
                                      int64_t from);
/// Params of a "calibrate" job, `run` apart. @param examples  those that were edited or picked; null: all of
/// the source as they came
nlohmann::ordered_json runParams(const CalibrationChoice& choice, const std::string& model,
                                 const nlohmann::ordered_json& examples);
/// The same for a shell. @param edited  the examples lie in a file that must be written first
QString commandLine(const CalibrationChoice& choice, const std::string& model, bool edited);

/// What keeps a run from starting, in a sentence; empty: nothing.
QString problemOf(const CalibrationChoice& choice, const std::string& model, int64_t usable_examples);

/// A line of the leakage check.
struct LeakageLine {
    bool bad = false;
    QString text;
    QStringList details;
};
std::vector<LeakageLine> leakageLines(const protocol::ExampleOverlap& overlap, const std::string& task,
                                      int64_t examples);

}  // namespace spd
