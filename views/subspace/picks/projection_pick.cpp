#include "views/subspace/picks/projection_pick.h"

#include <utility>

namespace spd {

PickCommand::PickCommand(ProjectionPick before, ProjectionPick after, const QString& text, int drag,
                         std::function<void(const ProjectionPick&)> apply)
    : QUndoCommand(text),
      before_(std::move(before)),
      after_(std::move(after)),
      drag_(drag),
      apply_(std::move(apply)) {}

bool PickCommand::mergeWith(const QUndoCommand* later) {
    const auto* next = dynamic_cast<const PickCommand*>(later);
    if (next == nullptr || next->drag_ != drag_)
        return false;
    after_ = next->after_;
    return true;
}

}  // namespace spd
