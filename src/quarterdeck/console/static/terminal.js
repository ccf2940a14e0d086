// The terminal of a task: what its agent shows, live, and the keyboard for who takes it. Everything else of the page
// works without this file; the text of the terminal is in the log.
{
  const own = document.currentScript, box = document.querySelector("[data-terminal]");
  // xterm makes style elements of its own, which the page's policy lets in by this page's nonce alone.
  const make = document.createElement.bind(document), nonce = own.nonce;
  document.createElement = (name, options) => { const made = make(name, options); if (name === "style") made.setAttribute("nonce", nonce); return made; };
  const load = address => new Promise((done, failed) => { const s = make("script"); s.src = address; s.onload = done; s.onerror = failed; document.head.append(s); });

  const begin = async () => {
    await load(own.dataset.xterm);
    await load(own.dataset.fit);
    const state = box.querySelector("[data-term-state]"), take = box.querySelector("[data-term-take]"), place = box.querySelector("[data-term-box]");
    const term = new Terminal({ cols: 120, rows: 40, scrollback: 5000, screenReaderMode: true, fontFamily: "ui-monospace, monospace", fontSize: 12, theme: { background: "#16181d", foreground: "#d8dade" }, disableStdin: true });
    const fit = new FitAddon.FitAddon();
    term.loadAddon(fit);
    term.open(place);
    term.attachCustomKeyEventHandler(e => {
      if (!(e.ctrlKey && e.shiftKey && e.key === "Escape")) return true;
      (take ?? box.querySelector("a")).focus();  // the way out for the keyboard
      return false;
    });
    let socket = null, mode = "watch", offset = null, watchers = 1, holder = null, ended = false, pause = 1000, clock = 0;
    const say = text => { if (state.textContent !== text) state.textContent = text; };
    const tell = () => {
      const mine = mode === "control";
      term.options.disableStdin = !mine;
      take?.setAttribute("aria-pressed", String(mine));
      if (take) take.textContent = mine ? "Give it back" : "Take over";
      say(`${mine ? "you hold the keyboard" : holder ? `${holder.user} holds the keyboard` : "read only"}, ${watchers} watching`);
    };
    const send = frame => { if (socket?.readyState === 1) socket.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)); };
    const size = () => { if (mode !== "control") return; fit.fit(); send({ type: "resize", cols: Math.min(500, Math.max(2, term.cols)), rows: Math.min(300, Math.max(1, term.rows)) }); };
    const over = text => { ended = true; say(text); term.options.disableStdin = true; take?.setAttribute("hidden", ""); };

    const heard = frame => {
      if (frame.type === "ready") {
        mode = frame.mode; holder = frame.holder; pause = 1000;
        if (frame.cols) term.resize(frame.cols, frame.rows);
        tell(); size();
      } else if (frame.type === "replay_begin") { term.reset(); offset = null; if (frame.cols) term.resize(frame.cols, frame.rows); }
      else if (frame.type === "resized") { if (mode !== "control") term.resize(frame.cols, frame.rows); }
      else if (frame.type === "viewers") { watchers = frame.count; tell(); }
      else if (frame.type === "control") { holder = frame.holder; mode = frame.mine ?? (holder && holder.sessionId === session) ? "control" : "watch"; tell(); size(); }
      else if (frame.type === "exit") over(`Ended with ${frame.code ?? "no code"}`);
      else if (frame.type === "ping") send({ type: "pong" });
      else if (frame.type === "error") say(frame.message);
    };
    let session = null;

    const connect = async (wanted, takeover = false) => {
      clearTimeout(clock);
      let answer;
      try {
        answer = await fetch(`/api/web/tasks/${box.dataset.task}/pty-token`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ mode: wanted }) });
      } catch { return later(wanted); }
      if (!answer.ok) {
        const told = await answer.json().catch(() => ({}));
        if (answer.status === 409) return over("There is no terminal any more");
        if (answer.status >= 500) return later(wanted);
        return wanted === "control" ? (say(told.message ?? "You may not take it over"), connect("watch")) : over(told.message ?? "You may not watch it");
      }
      const { channelToken, wsPath } = await answer.json();
      const old = socket;
      socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${wsPath}`);
      const mine = socket;
      if (old) { old.onclose = null; old.close(); }
      mine.binaryType = "arraybuffer";
      mine.onopen = () => mine.send(JSON.stringify({ type: "auth", channelToken, mode: wanted, takeover, cols: term.cols, rows: term.rows, ...(offset === null ? {} : { sinceOffset: offset }) }));
      mine.onmessage = e => {
        if (typeof e.data !== "string") { const bytes = new Uint8Array(e.data); if (offset !== null) offset += bytes.length; return term.write(bytes); }
        const frame = JSON.parse(e.data);
        if (frame.type === "ready") session = frame.sessionId;
        if ((frame.type === "ready" || frame.type === "replay_end") && typeof frame.offset === "number") offset = frame.offset;
        heard(frame);
      };
      mine.onclose = e => {
        if (ended) return;
        if (e.code === 4404) return over("The terminal has ended");
        if (e.code === 4403) return over("Access was taken away");
        later(mode);
      };
    };
    const later = wanted => {
      say(`Reconnecting in ${Math.round(pause / 1000)} s`);
      clock = setTimeout(() => connect(wanted), pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, 30000);
    };
    term.onData(text => { if (mode === "control") send(new TextEncoder().encode(text)); });
    term.onBinary(text => { if (mode === "control") send(Uint8Array.from(text, c => c.charCodeAt(0))); });
    take?.addEventListener("click", () => { mode === "control" ? (send({ type: "control_release" }), connect("watch")) : connect("control", true).then(() => term.focus()); });
    addEventListener("resize", size);
    connect("watch");
  };
  if (box) begin().catch(() => { box.querySelector("[data-term-state]").textContent = "The terminal could not be loaded. Reload the page."; });
}
