#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QStringList>
#include <atomic>
#include <mutex>
#include <vector>

#include "core/protocol/line_splitter.h"
#include "core/protocol/message.h"

namespace spd {

/// How a child that relayed to an engine ended.
struct LinkEnd {
    bool started = false;  ///< the program was there
    bool crashed = false;  ///< ended by a signal
    int code = 0;          ///< exit code
    QString last_words;    ///< the last line of its stderr; the system's when it did not start
};

/// The child process of an EngineClient, read and parsed on a thread of its own, so that neither a large
/// answer nor a flood of lines is felt in the window. Messages wait in a list until the client takes them.
/// Made on the GUI thread, moved to its thread; from then on only slots (queued) and the thread-safe calls.
/// One object a connection.
class EngineLink : public QObject {
    Q_OBJECT

public:
    EngineLink() = default;
    ~EngineLink() override;  ///< on its thread

    struct Taken {
        std::vector<protocol::Message> messages;  ///< oldest first
        int refused = 0;                          ///< lines that were no messages
        QString why_refused;                      ///< the last of them
    };
    /// Thread-safe: what has come since the last call.
    Taken take();
    /// Thread-safe: milliseconds since a byte came; 0 while bytes are being parsed.
    qint64 silentFor() const;

    /// On its thread: ended() was sent.
    bool hasEnded() const { return finished_; }

public Q_SLOTS:
    void start(const QStringList& command);
    void write(const QByteArray& line);
    /// Ends the child: closes its input, and kills it when it stays.
    void stop();

Q_SIGNALS:
    /// There is something to take; not sent again before it was taken.
    void arrived();
    /// Sent once, after everything that it said has arrived.
    void ended(const spd::LinkEnd& end);

private:
    void read();
    void readErrors();
    void finish(const LinkEnd& end);
    void deliver(Taken&& taken);

    // Used by the link's thread alone.
    QProcess* process_ = nullptr;
    protocol::LineSplitter lines_{protocol::kMaxReplyBytes};
    QByteArray errors_;
    bool finished_ = false;

    // Shared.
    std::atomic<bool> parsing_ = false;
    mutable std::mutex mutex_;
    Taken waiting_;
    bool told_ = false;
    QElapsedTimer heard_;
};

}  // namespace spd
