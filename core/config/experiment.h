#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace spd {

/// How a model is made better (or left alone) before it is evaluated.
enum class Method {
    base,  ///< the model as it is
    psr,   ///< plain self-retraining: trained on its own samples, no projection
    ssd,   ///< simple self-distillation: on samples of truncated decoding, no projection
    spd,   ///< self-policy distillation: on samples made under the projection
};

std::string_view name(Method method);

/// One experiment file, every key with its default (design: the life of a run). Texts that later stages parse
/// further (layers, rank_rule) have been checked for their form here. Sizes are 64-bit; a `seed` is not
/// negative.
struct Experiment {
    std::string name;
    std::vector<Method> methods = {Method::base, Method::spd};
    int64_t seed = 42;

    struct Model {
        std::string path;  ///< MODEL as locateModel() takes it
        std::string dtype = "bfloat16";
    } model;

    struct Task {
        std::string name = "math";   ///< math, code or qa
        std::string train;           ///< a shipped data set or a JSON Lines file; empty: the task's own
        int64_t n_train = 0;         ///< 0: the paper's (7473, 464, 2000)
        int64_t n_calibration = 50;  ///< usable examples that must be found
        bool disjoint = false;       ///< calibration examples are not trained on
    } task;

    struct Calibration {
        std::string dtype = "float32";
        std::string loss = "aligned";
        std::string site = "proj";
        std::string layers = "last_mid";  ///< measured
        bool per_head = false;
    } calibration;

    struct Projection {
        std::string layers;  ///< used; empty: those measured, or last_mid when all were
        std::string rank_rule = "half_dim";
        std::string project = "both";
        double strength = 1;
        std::string control = "none";
        std::string when = "all";
        std::string apply;  ///< empty: folded where that can be
        bool allow_arbitrary = false;
    } projection;

    struct Generation {
        bool greedy = false;
        double temperature = 1;
        int64_t top_k = 0;
        double top_p = 1;
        double min_p = 0;
        double repetition_penalty = 1;
        int64_t max_new_tokens = 512;
        int64_t batch = 8;
        bool chat = false;
        double ssd_temperature = 1.6;  ///< of method ssd, instead of the three above
        int64_t ssd_top_k = 20;
        double ssd_top_p = 0.8;
    } generation;

    struct Corpus {
        std::string filter = "none";  ///< completions that are left out of training (corpus_filter.h)
        std::string ssd_filter;       ///< of method ssd, instead; empty: `filter`
    } corpus;

    struct Training {
        int64_t epochs = 5;
        double lr = 1e-5;
        int64_t r = 8;
        double alpha = 8;
        double dropout = 0.05;
        int64_t batch_size = 8;
        double weight_decay = 0.01;
        std::string loss = "full";
        std::string recompute = "auto";
        int64_t checkpoint_every = 50;  ///< optimizer steps
    } training;

    /// One a task and policy in each run: its results lie in eval/TASK or eval/TASK-generating.
    struct Evaluation {
        std::string task;
        int64_t limit = 0;  ///< 0: the paper's size
        std::string protocol = "paper";
        int64_t max_new_tokens = 0;  ///< 0: the protocol's
        /// "trained": with the method's adapter, no hook, greedy; "generating": as the method makes its
        /// corpus, base weights with its sampling and its projection (the paper's Table 3)
        std::string policy = "trained";
        std::string domain;  ///< only in runs whose task.name is this; empty: in all
    };
    std::vector<Evaluation> evaluate;
};

/// One point of the sweep: the experiment with the point's values in place.
struct ExperimentPoint {
    std::string label;  ///< "rank_rule=energy:0.9,n_calibration=20"; empty without a sweep
    std::vector<std::pair<std::string, std::string>> values;  ///< dotted key and value, in the file's order
    Experiment experiment;
};

struct ExperimentFile {
    std::string text;      ///< as it was read
    std::string resolved;  ///< the same with every default written out; reads back to the same points
    std::vector<ExperimentPoint> points;    ///< at least one; the last key of [sweep] changes fastest
    std::string name;                       ///< of the file, for messages
    std::map<std::string, uint32_t> lines;  ///< of each dotted key that is written there; of its list in
                                            ///< [sweep] where it is swept
};

inline constexpr size_t kMostSweepPoints = 10'000;

/// Reads an experiment file.
/// @throws Error not_found, io; invalid_argument for everything wrong in it: what() is the first as
/// "FILE: line N: RULE", details() a line for each problem: TOML syntax, unknown keys, values of another type
/// or out of range, settings that contradict each other, in any point of the sweep.
ExperimentFile readExperiment(const std::filesystem::path& path);

/// The same from text; `file` is the name used in messages.
ExperimentFile parseExperiment(const std::string& text, const std::string& file);

/// What is found wrong with a setting later on, as "FILE: line N: RULE"; line 1 for one that is not written.
Error refusalAt(const ExperimentFile& file, const std::string& key, ErrorKind kind, const std::string& rule);

/// Every setting with its value, dotted keys, in the order of the sections; what the run database keeps.
std::vector<std::pair<std::string, std::string>> settingsOf(const Experiment& experiment);

/// One experiment, without a sweep, as TOML with every default written out.
std::string resolvedToml(const Experiment& experiment);

}  // namespace spd
