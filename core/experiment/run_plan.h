#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/config/experiment.h"

namespace spd {

/// One run: a method at one point of the sweep.
struct PlannedRun {
    std::string name;  ///< its folder under runs/: "spd-s42-rank_rule=half_dim"; plain letters, unique
    Method method = Method::base;
    std::string point;      ///< label of the point as far as it matters to the method; may be empty
    Experiment experiment;  ///< with the values of the point, and of [[evaluate]] what its task asks for
    /// Dotted keys and values of the settings that the method's result depends on, in the order of
    /// settingsOf(). Runs with equal ones would be equal.
    std::vector<std::pair<std::string, std::string>> settings;

    bool needsSubspace() const { return method == Method::spd; }
    /// A corpus is made and an adapter trained on it: for what is evaluated as "trained", and where nothing
    /// is evaluated and the adapter is the result.
    bool needsTraining() const;
};

/// The runs of a file: for each point its methods. A point that changes nothing for a method (a rank for
/// `base`) makes no second run of it.
std::vector<PlannedRun> planRuns(const ExperimentFile& file);

/// `text` as a name of a file: other than A-Z a-z 0-9 . _ = , + - becomes -, and what is longer than
/// `longest` is cut and ends in eight digits of its hash.
std::string plainName(const std::string& text, size_t longest = 100);

}  // namespace spd
