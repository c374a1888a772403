// EngineClient: the life of a connection: hello, events in sequence, silence, loss, the next try.
#include <algorithm>

#include "app/workbench/engine_client.h"
#include "views/shared/answers/fields.h"

namespace spd {

void EngineClient::sayHello() {
    hello_.start(timing_.hello);
    ask(QStringLiteral("hello"), {{"protocol", protocol::kVersion}, {"client", "spd-workbench " SPD_VERSION}},
        {.method = {},
         .context = this,
         .on_result = [this](const Json& result) { takeHello(result); },
         .on_failure =
             [this](const protocol::Failure& failure) {
                 if (failure.kind != "not_connected")  // then it is told by who found it
                     lose(QString::fromStdString(failure.message), true);
             }});
}

void EngineClient::takeHello(const Json& result) {
    if (!result.is_object() || integerAt(result, "protocol") != protocol::kVersion) {
        lose(tr("The engine (%1) speaks protocol %2, this window protocol %3: use the same release of both.")
                 .arg(result.is_object() ? textAt(result, "engine") : QString())
                 .arg(result.is_object() ? integerAt(result, "protocol") : 0)
                 .arg(protocol::kVersion),
             true);
        return;
    }
    const bool fresh = textAt(result, "session") != engine_.session;
    if (fresh)
        last_seq_ = std::max<qint64>(0, integerAt(result, "next") - 1);
    engine_ = {.program = textAt(result, "engine"),
               .workspace = textAt(result, "workspace"),
               .processor = textAt(result, "processor"),
               .session = textAt(result, "session"),
               .pid = integerAt(result, "pid"),
               .threads = integerAt(result, "threads")};
    subscribe(fresh);
}

/// Ready once the events flow: what is asked for after that cannot be older than them.
void EngineClient::subscribe(bool fresh) {
    const auto on_result = [this, fresh](const Json& result) {
        const bool gap = result.is_object() && result.value("gap", Json(false)) == Json(true);
        if (gap)
            last_seq_ = std::max<qint64>(0, integerAt(result, "next") - 1);
        hello_.stop();  // an engine that falls silent in between is given up as well
        setState(EngineState::ready, tr("Connected."));
        stable_.start(timing_.stable);
        ping_.start();
        Q_EMIT connected(fresh || gap);
    };
    ask(QStringLiteral("subscribe"), {{"session", engine_.session.toStdString()}, {"from", last_seq_ + 1}},
        {.method = {},
         .context = this,
         .on_result = on_result,
         .on_failure = [this](const protocol::Failure& failure) {
             if (failure.kind != "not_connected")
                 lose(QString::fromStdString(failure.message), true);
         }});
}

void EngineClient::takeEvent(const protocol::Notification& event) {
    if (event.method == "events.lost") {
        last_seq_ = std::max(last_seq_, integerAt(event.params, "to"));
        Q_EMIT connected(true);
        return;
    }
    const qint64 seq = integerAt(event.params, "seq");
    if (seq > 0 && seq <= last_seq_)
        return;  // known already
    const bool jumped = seq > last_seq_ + 1;
    last_seq_ = std::max(last_seq_, seq);
    if (jumped && state_ == EngineState::ready)
        Q_EMIT connected(true);
    events_.tell(event);
}

void EngineClient::watch() {
    const qint64 quiet = link_ != nullptr ? link_->silentFor() : 0;
    if (quiet > timing_.give_up) {
        lose(tr("The engine has said nothing for %1 s.").arg(quiet / 1000), false);
        return;
    }
    const bool is_silent = quiet > ping_.interval() + timing_.silent;
    if (is_silent || was_silent_)
        Q_EMIT silent(is_silent ? quiet : 0);
    was_silent_ = is_silent;
    const bool asked = std::any_of(pending_.begin(), pending_.end(), [](const auto& one) {
        return one.second.method == QStringLiteral("ping");
    });
    if (!asked)
        ask(QStringLiteral("ping"), Json::object(),
            {.method = {}, .context = this, .on_result = {}, .on_failure = [](const auto&) {}});
}

void EngineClient::onEnded(const LinkEnd& end) {
    collect();
    if (!messages_.empty()) {
        end_ = end;  // handleSome() comes back to it
        return;
    }
    lose(endInWords(end, command_), state_ == EngineState::connecting && isHopeless(end));
}

void EngineClient::lose(const QString& why, bool hopeless) {
    dropLink();
    const bool give_up = hopeless || tries_ >= timing_.tries;
    const int shift = std::clamp(tries_ - 1, 0, 20);
    const qint64 wait = std::min<qint64>(timing_.max_backoff, qint64{timing_.backoff} << shift);
    setState(give_up ? EngineState::failed : EngineState::lost, why);
    failAll(why);
    if (!give_up && state_ == EngineState::lost)
        retry_.start(static_cast<int>(wait));
}

}  // namespace spd
