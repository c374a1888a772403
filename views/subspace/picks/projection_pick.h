#pragma once

#include <QUndoCommand>
#include <functional>
#include <set>
#include <string>

#include "views/subspace/picks/rank_choice.h"

namespace spd {

/// What a researcher picks on the Subspace page: the projection of the intervention options.
struct ProjectionPick {
    std::set<int64_t> layers;
    RankChoice rank;
    std::string project = "both";  ///< "both", "k" or "v"

    bool operator==(const ProjectionPick&) const = default;
    bool uses(KvStream stream) const {
        return project == "both" || project == (stream == KvStream::k ? "k" : "v");
    }
};

/// One step of undo: from a pick to another. Steps of one drag become one.
class PickCommand : public QUndoCommand {
public:
    /// @param drag  number of the drag that it belongs to; 0: none
    PickCommand(ProjectionPick before, ProjectionPick after, const QString& text, int drag,
                std::function<void(const ProjectionPick&)> apply);
    void undo() override { apply_(before_); }
    void redo() override { apply_(after_); }
    int id() const override { return drag_ == 0 ? -1 : 1; }
    bool mergeWith(const QUndoCommand* later) override;

private:
    ProjectionPick before_;
    ProjectionPick after_;
    int drag_;
    std::function<void(const ProjectionPick&)> apply_;
};

}  // namespace spd
