// runs.lineage: what a run's files were made from, and what was made from them.

#include <map>
#include <set>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/runs/runs_commands.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Params;

/// All edges of the workspace, by the hash on either side.
class Lineage {
public:
    explicit Lineage(const RunStore& store) {
        for (const RunRecord& run : store.runs()) {
            for (const Artifact& artifact : store.artifacts(run.id))
                owners_[artifact.sha256].push_back({run, artifact});
            for (const LineageEdge& edge : store.lineage(run.id))
                if (seen_.insert(edge.from_sha256 + edge.to_sha256).second)
                    edges_.push_back(edge);
        }
    }

    /// What hangs together with these files.
    ordered_json around(std::set<std::string> hashes) const {
        ordered_json edges = ordered_json::array();
        std::vector<bool> taken(edges_.size());
        for (bool grown = true; grown;) {
            grown = false;
            for (size_t i = 0; i < edges_.size(); ++i) {
                const LineageEdge& edge = edges_[i];
                if (taken[i] || (!hashes.contains(edge.from_sha256) && !hashes.contains(edge.to_sha256)))
                    continue;
                taken[i] = grown = true;
                hashes.insert(edge.from_sha256);
                hashes.insert(edge.to_sha256);
                edges.push_back({{"from", edge.from_sha256}, {"to", edge.to_sha256}});
            }
        }
        return {{"nodes", nodes(hashes)}, {"edges", edges}};
    }

private:
    struct Owner {
        RunRecord run;
        Artifact artifact;
    };

    ordered_json nodes(const std::set<std::string>& hashes) const {
        std::map<std::string, std::string> kinds;
        for (const LineageEdge& edge : edges_) {
            kinds[edge.from_sha256] = edge.from_kind;
            kinds[edge.to_sha256] = edge.to_kind;
        }
        ordered_json nodes = ordered_json::array();
        for (const std::string& hash : hashes) {
            const auto kind = kinds.find(hash);
            if (kind == kinds.end())
                continue;  // neither made from something nor used
            ordered_json files = ordered_json::array();
            if (const auto owners = owners_.find(hash); owners != owners_.end())
                for (const Owner& owner : owners->second)
                    files.push_back({{"run", owner.run.id},
                                     {"name", owner.run.name},
                                     {"path", owner.artifact.path.native()}});
            nodes.push_back({{"sha256", hash}, {"kind", kind->second}, {"files", files}});
        }
        return nodes;
    }

    std::map<std::string, std::vector<Owner>> owners_;
    std::set<std::string> seen_;
    std::vector<LineageEdge> edges_;
};

ordered_json lineage(const Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::string text = params.text("run");
    params.refuseOthers();
    const RunStore store = openStore(workplace.common());
    std::set<std::string> hashes;
    for (const Artifact& artifact : store.artifacts(store.findRun(text).id))
        hashes.insert(artifact.sha256);
    return Lineage(store).around(std::move(hashes));
}

}  // namespace

void addLineageMessage(engine::Server& server, Workplace& workplace) {
    server.addQuery("runs.lineage",
                    [&workplace](const ordered_json& params) { return lineage(workplace, params); });
}

}  // namespace spd::cli
