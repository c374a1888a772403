#pragma once

#include <QObject>
#include <QPointer>
#include <QStringList>
#include <QThread>
#include <QTimer>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "app/workbench/link/engine_events.h"
#include "app/workbench/link/engine_link.h"
#include "app/workbench/link/engine_state.h"

namespace spd {

/// Talks to an engine through a child process (spd-attach, or any command that leads to one): requests with
/// their answers, events as signals of events(), and a connection that comes back by itself. GUI thread;
/// nothing here waits, reading and parsing happen on another thread.
class EngineClient : public QObject {
    Q_OBJECT

public:
    using Json = nlohmann::ordered_json;
    using OnResult = std::function<void(const Json&)>;
    using OnFailure = std::function<void(const protocol::Failure&)>;

    explicit EngineClient(const EngineTiming& timing = {}, QObject* parent = nullptr);
    ~EngineClient() override;

    /// Leaves the engine that it was connected to, if any (which goes on working), for another one.
    void connectTo(const QStringList& command);
    /// Tries again at once with the same command.
    void reconnect();
    void disconnectFromEngine();

    EngineState state() const { return state_; }
    /// One line for the user: what the state means, and why.
    const QString& stateLine() const { return state_line_; }
    const EngineInfo& engine() const { return engine_; }
    const QStringList& command() const { return command_; }
    EngineEvents& events() { return events_; }

    /// Exactly one of the two is called later, from the event loop, unless `context` has died. When the
    /// connection is lost or not there: on_failure, kind "not_connected". A failure that nobody takes is said
    /// by requestFailed(). @return id for cancel()
    qint64 request(const QString& method, const Json& params, QObject* context, OnResult on_result,
                   OnFailure on_failure = {});
    /// The engine answers it as cancelled if it has not begun with it.
    void cancel(qint64 id);
    /// While jobs run the engine is watched more closely.
    void setBusy(bool busy);

Q_SIGNALS:
    void stateChanged();
    /// Ready. @param fresh  another session than before, or events were missed: ask for all that is shown
    void connected(bool fresh);
    /// Not a byte for so long though asked; 0: it is heard again.
    void silent(qint64 milliseconds);
    void requestFailed(const QString& method, const spd::protocol::Failure& failure);
    /// The engine said something that is no message: a line for the log.
    void oddLine(const QString& what);

private:
    struct Pending {
        QString method;
        QPointer<QObject> context;
        OnResult on_result;
        OnFailure on_failure;
    };

    void start();
    void dropLink();
    void send(const std::string& line);
    qint64 ask(const QString& method, const Json& params, Pending pending);
    void sayHello();
    void takeHello(const Json& result);
    void subscribe(bool fresh);
    void collect();
    void handleSome();
    void handle(const protocol::Message& message);
    void takeAnswer(const protocol::Response& response);
    void takeEvent(const protocol::Notification& event);
    void tell(const Pending& pending, const Json& result);
    void fail(const Pending& pending, const protocol::Failure& failure);
    void failAll(const QString& why);
    void watch();
    void onEnded(const LinkEnd& end);
    void lose(const QString& why, bool hopeless);
    void setState(EngineState state, const QString& line);

    const EngineTiming timing_;
    EngineEvents events_;
    QStringList command_;
    QThread thread_;
    EngineLink* link_ = nullptr;  // lives on thread_
    std::deque<protocol::Message> messages_;
    bool handling_soon_ = false;
    std::optional<LinkEnd> end_;  // has come; messages before it are still to be handled

    EngineState state_ = EngineState::none;
    QString state_line_;
    EngineInfo engine_;
    qint64 last_seq_ = 0;  // within engine_.session
    std::map<qint64, Pending> pending_;
    qint64 next_id_ = 1;

    int tries_ = 0;
    QTimer retry_;
    QTimer ping_;
    QTimer hello_;
    QTimer stable_;
    bool was_silent_ = false;
};

/// What a failure says besides its message, a text each.
QStringList detailsOf(const protocol::Failure& failure);

}  // namespace spd
