// The terminal of a task: what its agent shows, live, and the keyboard for who takes it. Everything else of the page
// works without this file; the text of the terminal is in the log. The frames are those of docs/reference/terminals.md.
{
  const own = document.currentScript, box = document.querySelector("[data-terminal]");
  // xterm makes style elements of its own, which the page's policy lets in by this page's nonce alone.
  const make = document.createElement.bind(document), nonce = own.nonce;
  document.createElement = (name, options) => { const made = make(name, options); if (name === "style") made.setAttribute("nonce", nonce); return made; };
  const load = address => new Promise((done, failed) => { const s = make("script"); s.src = address; s.onload = done; s.onerror = failed; document.head.append(s); });

  // What a terminal showed (an asciicast): its last screen, and all of it again for who wants to see it.
  const replay = async (box, term, state, scaled) => {
    const play = box.querySelector("[data-term-play]"), PAUSE = 1000;
    const answer = await fetch(box.dataset.recording);
    if (!answer.ok) { state.textContent = "What it showed is not kept any more. Its text is in the log."; return; }
    const [head, ...events] = (await answer.text()).split("\n").filter(Boolean).map(line => JSON.parse(line));
    let clock = 0;
    const show = ([, kind, text]) => {
      if (kind === "o") term.write(text);
      if (kind === "r") { const [cols, rows] = text.split("x").map(Number); term.write("", () => { term.resize(cols, rows); scaled(); }); }
    };
    const anew = () => { clearTimeout(clock); term.reset(); term.resize(head.width, head.height); };
    const last = () => { anew(); events.forEach(show); term.write("", scaled); play.textContent = "Play"; state.textContent = "As it was at the end"; };
    const from = n => {
      if (n >= events.length) { play.textContent = "Play"; state.textContent = "As it was at the end"; return; }
      show(events[n]);
      const wait = n + 1 < events.length ? Math.min(PAUSE, 1000 * (events[n + 1][0] - events[n][0])) : 0;
      state.textContent = `Playing, ${Math.round(100 * (n + 1) / events.length)} %`;
      clock = setTimeout(() => from(n + 1), wait);
    };
    play.addEventListener("click", () => {
      if (play.textContent !== "Play") return last();
      anew();
      play.textContent = "Show the end";
      from(0);
    });
    addEventListener("resize", scaled);
    play.hidden = false;
    last();
  };

  const begin = async () => {
    await load(own.dataset.xterm);
    await load(own.dataset.fit);
    const state = box.querySelector("[data-term-state]"), take = box.querySelector("[data-term-take]"), place = box.querySelector("[data-term-box]");
    const { backgroundColor: background, color: foreground } = getComputedStyle(box);
    const term = new Terminal({ cols: 120, rows: 40, scrollback: 5000, screenReaderMode: true, fontFamily: "ui-monospace, monospace", fontSize: 12, theme: { background, foreground, cursor: foreground }, disableStdin: true });
    const fit = new FitAddon.FitAddon();
    term.loadAddon(fit);
    term.open(place);
    term.attachCustomKeyEventHandler(e => {
      if (e.key !== "F6" || e.ctrlKey || e.altKey || e.shiftKey || e.metaKey) return true;
      e.preventDefault();
      (may && take ? take : box.querySelector("a")).focus();  // the way out for the keyboard, from one pane to the next
      return false;
    });
    // Who only watches sees it as wide as it is: in smaller letters, and where those get too small, to be scrolled.
    const wide = box.querySelector("[data-term-wide]"), LARGE = 12, SMALL = 7;
    const scaled = () => {
      const shown = place.querySelector(".xterm-screen");
      if (!shown?.offsetWidth) return;
      const room = place.clientWidth - 32, each = shown.offsetWidth / term.cols / term.options.fontSize;
      term.options.fontSize = Math.min(LARGE, Math.max(SMALL, Math.floor(2 * room / term.cols / each) / 2));
      wide.hidden = shown.offsetWidth <= room;
      term.element.style.width = wide.hidden ? "" : `${shown.offsetWidth + 16}px`;
    };
    if (box.dataset.recording) return replay(box, term, state, scaled);
    let socket = null, mode = "watch", may = box.hasAttribute("data-may-take"), watchers = 1, holder = null, away = false;
    // `offset`: the output that is shown here, for a new connection to go on from; null while nobody knows.
    let offset = null, idle = false, asked = 0, pause = 1000, clock = 0;

    const say = text => { if (state.textContent !== text) state.textContent = text; };
    const tell = () => {
      const mine = mode === "control";
      term.options.disableStdin = !mine;
      if (take) { take.hidden = !may; take.textContent = mine ? "Give it back" : "Take over"; }
      const typing = mine ? "You hold the keyboard, F6 leaves it" : holder ? `${holder.user} holds the keyboard` : "Read only";
      say(away ? "The machine is away. Nothing can be typed until it is back." : `${typing}, ${watchers} watching`);
    };
    const send = frame => { if (socket?.readyState === 1) socket.send(frame instanceof Uint8Array ? frame : JSON.stringify(frame)); };
    const within = (low, n, high) => Math.min(high, Math.max(low, n));
    const size = () => { if (mode !== "control") return scaled(); term.options.fontSize = LARGE; term.element.style.width = ""; wide.hidden = true; fit.fit(); send({ type: "resize", cols: within(2, term.cols, 500), rows: within(1, term.rows, 300) }); };
    const held = (now, who) => {
      const before = mode;
      mode = now; holder = who;
      tell();
      if (before !== mode) size();
      if (mode === "control" && before !== mode) term.focus();
    };
    // What is written is drawn later: a size counts from its place in the output on.
    const sized = frame => term.write("", () => { term.resize(frame.cols, frame.rows); if (mode !== "control") scaled(); });
    const over = text => { idle = true; offset = null; mode = "watch"; holder = null; term.options.disableStdin = true; if (take) take.hidden = true; say(text); };

    const heard = frame => {
      switch (frame.type) {
        case "ready": pause = 1000; away = false; watchers = frame.viewers; return held(frame.mode, frame.holder);
        case "replay_begin": offset = null; return sized(frame);
        case "replay_end": offset = frame.offset; return term.write("", size);
        case "resized": return sized(frame);
        case "viewers": watchers = frame.count; return tell();
        case "control": return held(frame.mode ?? "watch", frame.holder);
        case "control_request": return say(`${frame.user ?? "Somebody"} asks for the keyboard`);
        case "worker": away = !frame.connected; return tell();
        case "exit": return over(frame.code > 0 ? `The agent has ended with ${frame.code}` : "The terminal has ended");
        case "ping": return send({ type: "pong" });
        case "error": return say(frame.message);
      }
    };
    const CLOSED = { 4401: "You are signed out. Reload the page.", 4403: "You may not see this terminal any more", 4404: "There is no terminal now" };

    // By the session of this page: the socket needs no other credential, and each connection a channel token of its own.
    const connect = async wanted => {
      clearTimeout(clock);
      idle = false; asked = Date.now();
      let answer;
      try {
        answer = await fetch(`/api/web/tasks/${box.dataset.task}/pty-token`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ mode: may ? "control" : "watch" }) });
      } catch { return later(wanted); }
      if (answer.status === 403 && may) { may = false; return connect("watch"); }
      if (answer.status === 409) return over("There is no terminal now");
      if (answer.status === 429 || answer.status >= 500) return later(wanted);
      if (!answer.ok) return over(CLOSED[answer.status === 401 ? 4401 : 4403]);
      const { channelToken, wsPath } = await answer.json();
      const mine = socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${wsPath}`);
      mine.binaryType = "arraybuffer";
      mine.onopen = () => send({ type: "auth", channelToken, mode: wanted, ...(offset === null ? {} : { sinceOffset: offset }) });
      mine.onmessage = e => {
        if (typeof e.data === "string") return heard(JSON.parse(e.data));
        const bytes = new Uint8Array(e.data);
        if (offset !== null) offset += bytes.length;
        term.write(bytes);
      };
      mine.onclose = e => {
        if (socket === mine) socket = null;
        if (idle) return;
        e.code === 1000 ? over("The terminal has ended") : CLOSED[e.code] ? over(CLOSED[e.code]) : later(mode);
      };
    };
    const later = wanted => {
      say(`Reconnecting in ${Math.round(pause / 1000)} s`);
      clock = setTimeout(() => connect(wanted), pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, 30000);
    };
    const typed = bytes => { if (mode === "control") send(bytes); };
    term.onData(text => typed(new TextEncoder().encode(text)));
    term.onBinary(text => typed(Uint8Array.from(text, c => c.charCodeAt(0))));
    take?.addEventListener("click", () => send(mode === "control" ? { type: "control_release" } : { type: "control_request", takeover: true, ...(holder ? { sessionId: holder.sessionId } : {}) }));
    addEventListener("resize", size);
    // Another attempt brings another terminal: the head of the page says that there may be one.
    const again = () => { if (idle && document.querySelector("#task-head[data-terminal-now]") && Date.now() - asked > 900) connect("watch"); };
    document.addEventListener("htmx:sse:after:message", again);
    setInterval(again, 5000);
    connect("watch");
  };
  if (box) begin().catch(() => { box.querySelector("[data-term-state]").textContent = "The terminal could not be loaded. Reload the page."; });
}
