// subspace.curves, subspace.project, subspace.angles.

#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/jobs/stage_jobs.h"
#include "core/base/error.h"
#include "core/base/seconds_since.h"
#include "core/subspace/display/curves.h"
#include "core/subspace/principal_angles.h"
#include "core/subspace/selection/rank_rule.h"
#include "core/subspace/subspace_folder.h"

namespace spd::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

/// The spectra that were looked at last: a rank is dragged, not clicked.
class SpectraShelf {
public:
    /// The reference is good until the next but one other folder is asked for.
    Subspace& read(const fs::path& folder) {
        const std::string stamp = stampOf(folder);
        for (Kept& kept : kept_)
            if (kept.folder == folder && kept.stamp == stamp && !stamp.empty()) {
                last_ = &kept;
                return kept.spectra;
            }
        Kept& oldest = last_ == kept_.data() ? kept_[1] : kept_[0];
        oldest.folder.clear();
        oldest.spectra = readSpectra(folder);
        oldest.folder = folder;
        oldest.stamp = stamp;
        last_ = &oldest;
        return oldest.spectra;
    }

private:
    struct Kept {
        fs::path folder;
        std::string stamp;
        Subspace spectra;
    };

    static std::string stampOf(const fs::path& folder) {
        std::error_code missing;
        const auto time = fs::last_write_time(folder / kSubspaceTensors, missing);
        return missing ? "" : std::to_string(time.time_since_epoch().count());
    }

    std::array<Kept, 2> kept_;
    Kept* last_ = nullptr;
};

fs::path folderOf(const Workplace& workplace, Params& params) {
    const std::string path = params.text("path", "");
    const std::string run = params.text("run", "");
    if (path.empty() == run.empty())
        throw Refusal(Code::invalid_params, "path or run says which subspace, one of them");
    return run.empty() ? fs::path(path) : runPlaceOf(workplace, run).calibration();
}

ordered_json curves(const Workplace& workplace, SpectraShelf& shelf, const ordered_json& json) {
    Params params(json);
    const fs::path folder = folderOf(workplace, params);
    params.refuseOthers();
    ordered_json result = {{"path", printable(folder.native(), 4096)}};
    result.update(curvesJson(shelf.read(folder)));
    return result;
}

ordered_json project(const Workplace& workplace, SpectraShelf& shelf, const ordered_json& json) {
    Params params(json);
    const fs::path folder = folderOf(workplace, params);
    const ProjectionSettings settings = projectionOf(params);
    params.refuseOthers();
    const Subspace& spectra = shelf.read(folder);
    return rankTableJson(spectra, selectRanks(spectra, settings));
}

/// What is compared, and how much of each.
struct AnglesRequest {
    fs::path a;
    fs::path b;
    std::string rank_rule;
    std::vector<std::string> targets;  ///< empty: all that both have
};

std::vector<KvTarget> targetsOf(const AnglesRequest& request, const Subspace& a, const Subspace& b) {
    std::vector<KvTarget> targets;
    const auto inBoth = [&](const KvTarget& target) {
        return a.targets.contains(target) && b.targets.contains(target);
    };
    for (const auto& [target, measured] : a.targets)
        if (request.targets.empty() && inBoth(target))
            targets.push_back(target);
    for (const std::string& text : request.targets) {
        const std::optional<KvTarget> target = parseKvTarget(text);
        if (!target || !inBoth(*target))
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("target \"{}\" is not in both subspaces", printable(text)));
        targets.push_back(*target);
    }
    return targets;
}

void requireAlike(const Subspace& a, const Subspace& b) {
    const auto& first = a.targets.begin()->second.heads;
    const auto& second = b.targets.begin()->second.heads;
    if (first.size() != second.size() ||
        first.front().singular_values.size() != second.front().singular_values.size())
        throw Error(ErrorKind::invalid_argument, "the subspaces have another width or other heads");
}

/// One target's rows, a head each.
void addAngles(const KvTarget& target, const RankRule& rule, Subspace& a, Subspace& b, ordered_json& rows) {
    auto& ours = a.targets.at(target).heads;
    auto& theirs = b.targets.at(target).heads;
    for (size_t head = 0; head < ours.size(); ++head) {
        const auto rankOf = [&](const Spectrum& spectrum) {
            return std::clamp<int64_t>(rule.rankFor(target, spectrum), 1,
                                       std::max<int64_t>(1, spectrum.numeric_rank));
        };
        const int64_t rank_a = rankOf(ours[head]);
        const int64_t rank_b = rankOf(theirs[head]);
        rows.push_back(
            {{"target", toText(target)},
             {"layer", target.layer},
             {"stream", name(target.stream)},
             {"head", a.per_head ? ordered_json(head) : ordered_json()},
             {"rank_a", rank_a},
             {"rank_b", rank_b},
             {"angles", anglesJson(principalAngles(ours[head].right_singular_vectors.topRows(rank_a),
                                                   theirs[head].right_singular_vectors.topRows(rank_b)))}});
        ours[head].right_singular_vectors.resize(0, 0);  // a large model's do not fit into memory together
        theirs[head].right_singular_vectors.resize(0, 0);
    }
}

ordered_json angles(const AnglesRequest& request) {
    constexpr double kMostSeconds = 1.5;
    const auto start = std::chrono::steady_clock::now();
    Subspace a = readSpectra(request.a);
    Subspace b = readSpectra(request.b);
    requireAlike(a, b);
    const RankRule rule = RankRule::parse(request.rank_rule);
    ordered_json rows = ordered_json::array();
    ordered_json left = ordered_json::array();
    for (const KvTarget& target : targetsOf(request, a, b)) {
        if (!rows.empty() && secondsSince(start) > kMostSeconds) {
            left.push_back(toText(target));
            continue;
        }
        readVectors(request.a, target, a);
        readVectors(request.b, target, b);
        addAngles(target, rule, a, b, rows);
    }
    return {{"targets", rows}, {"left", left}};
}

ordered_json angles(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    AnglesRequest request;
    const auto folder = [&](const char* key) {
        const ordered_json side = params.object(key);
        Params of_side(side);
        const fs::path path = folderOf(workplace, of_side);
        of_side.refuseOthers();
        return path;
    };
    request.a = folder("a");
    request.b = folder("b");
    request.rank_rule = rankRuleOf(params);
    request.targets = params.texts("targets");
    params.refuseOthers();
    return angles(request);
}

}  // namespace

std::string rankRuleOf(Params& params) {
    const std::optional<int64_t> rank = params.optionalInteger("rank");
    const std::string rule = params.text("rank_rule", "");
    if (rank && !rule.empty())
        throw Refusal(Code::invalid_params, "rank and rank_rule: one of them");
    if (rank && (*rank < 1 || *rank > int64_t{1} << 20))
        throw Refusal(Code::invalid_params, "rank must lie in [1, 1048576]");
    return rank ? std::to_string(*rank) : rule;
}

ProjectionSettings projectionOf(Params& params) {
    const auto refuse = [](const char* rule) { throw Refusal(Code::invalid_params, rule); };
    ProjectionSettings settings;
    settings.layers = params.text("project_layers", "");
    settings.rank_rule = rankRuleOf(params);
    settings.project = params.text("project", "both");
    settings.strength = params.number("strength", 1);
    const auto control = parseControl(params.text("control", "none"));
    if (!control)
        refuse("control must be none, complement or random:SEED");
    std::tie(settings.control, settings.control_seed) = *control;
    const auto when = parseProjectWhen(params.text("when", "all"));
    if (!when)
        refuse("when must be all, decode_only or prefill_only");
    settings.when = *when;
    const std::string apply = params.text("apply", "");
    settings.apply = parseProjectApply(apply);
    if (!apply.empty() && !settings.apply)
        refuse("apply must be folded or activation");
    settings.allow_arbitrary = params.flag("allow_arbitrary", false);
    return settings;
}

void addSubspaceMessages(engine::Server& server, Workplace& workplace) {
    auto shelf = std::make_shared<SpectraShelf>();  // the query thread's
    server.addQuery("subspace.curves", [&workplace, shelf](const ordered_json& params) {
        return curves(workplace, *shelf, params);
    });
    server.addQuery("subspace.project", [&workplace, shelf](const ordered_json& params) {
        return project(workplace, *shelf, params);
    });
    server.addQuery("subspace.angles",
                    [&workplace](const ordered_json& params) { return angles(workplace, params); });
}

}  // namespace spd::cli
