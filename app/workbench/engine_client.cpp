#include "app/workbench/engine_client.h"

#include <QElapsedTimer>
#include <algorithm>
#include <utility>

namespace spd {

namespace {

constexpr qint64 kSliceMilliseconds = 8;  // of the GUI thread in one go
constexpr int kNotConnectedCode = -32099;

protocol::Failure notConnected(const QString& why) {
    return {
        .code = kNotConnectedCode, .message = why.toStdString(), .kind = "not_connected", .data = nullptr};
}

}  // namespace

EngineClient::EngineClient(const EngineTiming& timing, QObject* parent) : QObject(parent), timing_(timing) {
    qRegisterMetaType<LinkEnd>();
    thread_.setObjectName(QStringLiteral("engine link"));
    thread_.start();
    for (QTimer* timer : {&retry_, &hello_, &stable_})
        timer->setSingleShot(true);
    connect(&retry_, &QTimer::timeout, this, &EngineClient::start);
    connect(&ping_, &QTimer::timeout, this, &EngineClient::watch);
    connect(&hello_, &QTimer::timeout, this,
            [this] { lose(tr("The engine did not answer for %1 s.").arg(timing_.hello / 1000), false); });
    connect(&stable_, &QTimer::timeout, this, [this] { tries_ = 0; });
    connect(&events_, &EngineEvents::unreadable, this, &EngineClient::oddLine);
    setBusy(false);
}

EngineClient::~EngineClient() {
    dropLink();
    thread_.quit();
    thread_.wait();
}

void EngineClient::connectTo(const QStringList& command) {
    command_ = command;
    engine_ = {};
    last_seq_ = 0;
    reconnect();
}

void EngineClient::reconnect() {
    tries_ = 0;
    dropLink();
    failAll(tr("The window connects to another engine."));
    start();
}

void EngineClient::disconnectFromEngine() {
    dropLink();
    failAll(tr("The window is not connected to an engine."));
    setState(EngineState::none, tr("Not connected."));
}

void EngineClient::start() {
    ++tries_;
    link_ = new EngineLink;
    link_->moveToThread(&thread_);
    // What an earlier link has posted may still come: only the present one is heard.
    connect(link_, &EngineLink::arrived, this, [this, link = link_] {
        if (link == link_)
            collect();
    });
    connect(link_, &EngineLink::ended, this, [this, link = link_](const LinkEnd& end) {
        if (link == link_)
            onEnded(end);
    });
    connect(&thread_, &QThread::finished, link_, &QObject::deleteLater);
    QMetaObject::invokeMethod(link_, [link = link_, command = command_] { link->start(command); });
    setState(EngineState::connecting, tr("Connecting to an engine..."));
    sayHello();
}

/// The old link may still say something: nobody listens any more.
void EngineClient::dropLink() {
    for (QTimer* timer : {&retry_, &ping_, &hello_, &stable_})
        timer->stop();
    messages_.clear();
    end_.reset();
    if (link_ == nullptr)
        return;
    link_->disconnect(this);
    QMetaObject::invokeMethod(link_, [link = link_] {
        if (link->hasEnded()) {
            link->deleteLater();
            return;
        }
        QObject::connect(link, &EngineLink::ended, link, &QObject::deleteLater);
        link->stop();
    });
    link_ = nullptr;
}

void EngineClient::send(const std::string& line) {
    QMetaObject::invokeMethod(
        link_, [link = link_, bytes = QByteArray::fromStdString(line)] { link->write(bytes); });
}

qint64 EngineClient::ask(const QString& method, const Json& params, Pending pending) {
    const qint64 id = next_id_++;
    send(protocol::toLine(protocol::Request{id, method.toStdString(), params}));
    pending.method = method;
    pending_.emplace(id, std::move(pending));
    return id;
}

qint64 EngineClient::request(const QString& method, const Json& params, QObject* context, OnResult on_result,
                             OnFailure on_failure) {
    Pending pending{method, context, std::move(on_result), std::move(on_failure)};
    if (state_ == EngineState::ready)
        return ask(method, params, std::move(pending));
    QMetaObject::invokeMethod(
        this, [this, pending, why = state_line_] { fail(pending, notConnected(why)); }, Qt::QueuedConnection);
    return next_id_++;
}

void EngineClient::cancel(qint64 id) {
    if (state_ == EngineState::ready && pending_.contains(id))
        send(protocol::toLine(protocol::Notification{"$/cancel", {{"id", id}}}));
}

void EngineClient::setBusy(bool busy) {
    ping_.setInterval(busy ? timing_.ping_busy : timing_.ping_idle);
}

void EngineClient::collect() {
    EngineLink::Taken taken = link_->take();
    if (taken.refused > 0)
        Q_EMIT oddLine(tr("Lines from the engine's side that are no messages: %1; the last one: %2")
                           .arg(taken.refused)
                           .arg(taken.why_refused));
    std::move(taken.messages.begin(), taken.messages.end(), std::back_inserter(messages_));
    handleSome();
}

/// Handles what waits for a few milliseconds, then lets the window draw.
void EngineClient::handleSome() {
    handling_soon_ = false;
    QElapsedTimer timer;
    timer.start();
    while (!messages_.empty() && timer.elapsed() < kSliceMilliseconds) {
        const protocol::Message message = std::move(messages_.front());
        messages_.pop_front();  // before handling: a slot may connect elsewhere
        handle(message);
    }
    if (!messages_.empty()) {
        if (!std::exchange(handling_soon_, true))
            QMetaObject::invokeMethod(this, &EngineClient::handleSome, Qt::QueuedConnection);
    } else if (const auto end = std::exchange(end_, std::nullopt)) {
        onEnded(*end);
    }
}

void EngineClient::handle(const protocol::Message& message) {
    if (const auto* response = std::get_if<protocol::Response>(&message))
        takeAnswer(*response);
    else if (const auto* event = std::get_if<protocol::Notification>(&message))
        takeEvent(*event);
    else
        Q_EMIT oddLine(tr("The engine asked the window something: ignored."));
}

void EngineClient::takeAnswer(const protocol::Response& response) {
    const auto* failure = std::get_if<protocol::Failure>(&response.outcome);
    const auto found =
        response.id.is_number_integer() ? pending_.find(response.id.get<qint64>()) : pending_.end();
    if (found == pending_.end()) {
        Q_EMIT oddLine(failure != nullptr ? QString::fromStdString(failure->message)
                                          : tr("The engine answered what was not asked."));
        return;
    }
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    if (failure != nullptr)
        fail(pending, *failure);
    else if (pending.context && pending.on_result)
        tell(pending, std::get<Json>(response.outcome));
}

/// An answer of another shape than it should have is a failure like others; nothing may escape into the event
/// loop.
void EngineClient::tell(const Pending& pending, const Json& result) {
    try {
        pending.on_result(result);
    } catch (const std::exception& error) {
        const QString what = tr("The engine's answer to %1 cannot be read: %2")
                                 .arg(pending.method, QString::fromUtf8(error.what()));
        Q_EMIT oddLine(what);
        fail(pending, {.code = 0, .message = what.toStdString(), .kind = "unreadable", .data = nullptr});
    }
}

void EngineClient::fail(const Pending& pending, const protocol::Failure& failure) {
    if (!pending.context)
        return;
    if (pending.on_failure)
        pending.on_failure(failure);
    else
        Q_EMIT requestFailed(pending.method, failure);
}

/// Each asker learns it; those who ask again at once are told later, so this ends.
void EngineClient::failAll(const QString& why) {
    const auto all = std::exchange(pending_, {});
    for (const auto& [id, pending] : all)
        fail(pending, notConnected(why));
}

void EngineClient::setState(EngineState state, const QString& line) {
    if (std::exchange(was_silent_, false))
        Q_EMIT silent(0);
    state_ = state;
    state_line_ = line;
    Q_EMIT stateChanged();
}

QStringList detailsOf(const protocol::Failure& failure) {
    QStringList details;
    if (failure.data.is_array())
        for (const nlohmann::ordered_json& detail : failure.data)
            if (detail.is_string())
                details << QString::fromStdString(detail.get<std::string>());
    return details;
}

}  // namespace spd
