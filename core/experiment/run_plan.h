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
    /// SHA-256 of the file that projection.rank_rule names, where it names one and the method projects; also
    /// among the settings, as projection.ranks_sha256. Empty where it cannot be read: checkProjection() says
    /// so.
    std::string ranks_sha256;

    bool needsSubspace() const { return method == Method::spd; }
    /// A corpus is made and an adapter trained on it: for what is evaluated as "trained", and where nothing
    /// is evaluated and the adapter is the result.
    bool needsTraining() const;
};

/// The runs of a file: for each point its methods. A point that changes nothing for a method (a rank for
/// `base`) makes no second run of it.
std::vector<PlannedRun> planRuns(const ExperimentFile& file);

/// The resolved file, with a comment line for each rank file that the runs use: other ranks are another
/// experiment, as other settings are.
std::string identityOf(const ExperimentFile& file, const std::vector<PlannedRun>& runs);

/// `text` as a name of a file: other than A-Z a-z 0-9 . _ = , + - becomes -, and what is longer than
/// `longest` is cut and ends in eight digits of its hash.
std::string plainName(const std::string& text, size_t longest = 100);

}  // namespace spd
