"use strict";
// Every key acts on the line that is chosen. A line changes only once the server says that the judgement is kept.
const clip = document.querySelector(".clip");
const lines = [...document.querySelectorAll(".line")];
const audio = document.querySelector("audio");
const help = document.getElementById("help");
const said = document.getElementById("said"), wrong = document.getElementById("wrong");
let saving = Promise.resolve(), fading;

const chosen = () => lines.find((line) => line.classList.contains("chosen"));
const editor = (line) => line.querySelector(".editor");
const editing = () => lines.find((line) => !editor(line).hidden);
const title = (line) => line.querySelector(".name span").textContent;

function tell(text) {
  clearTimeout(fading);
  said.textContent = text;
  fading = setTimeout(() => { said.textContent = ""; }, 4000);
}

function choose(line) {
  if (!line) return;
  for (const other of lines) {
    other.classList.toggle("chosen", other === line);
    other.toggleAttribute("aria-current", other === line);
    if (other !== line) editor(other).hidden = true;
  }
  line.focus({ preventScroll: true });
  line.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const at = lines.indexOf(chosen());
  choose(lines[Math.min(Math.max(at + by, 0), lines.length - 1)]);
}

function show(line, facts) {
  line.dataset.state = facts.state;
  line.querySelector(".state .word").textContent = facts.state;
  line.querySelector(".state .right").textContent = facts.correction;
  document.getElementById("progress").value = facts.judged;
}

async function post(path, body) {
  wrong.textContent = "";
  let answer, facts;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Speechcraft-Review": "1" },
      body: JSON.stringify(body),
    });
    facts = await answer.json();
  } catch {
    facts = { error: "It was not kept: the server does not answer." };
  }
  if (facts.error) wrong.textContent = facts.error;
  return facts.error ? null : facts;
}

function judge(line, verdict, correction = null, place = null) {
  const work = async () => {
    const body = { attribute: line.dataset.attribute, verdict, correction, place };
    const facts = await post(`/clip/${clip.dataset.clip}/judge`, body);
    if (!facts) return false;
    show(line, facts);
    editor(line).hidden = true;
    tell(`${title(line)} ${facts.state} ${facts.correction}`);
    return true;
  };
  saving = saving.then(work);
  return saving;
}

async function judgeAndGoOn(line, ...what) {
  if (!(await judge(line, ...what))) return;
  const after = lines.slice(lines.indexOf(line) + 1).find((other) => !other.dataset.state);
  const open = after || lines.find((other) => !other.dataset.state);
  choose(open || line);
  if (!open) tell(document.getElementById("after") ? "All judged; j for the next clip." : "All judged: this is the last clip.");
}

async function acceptRest() {
  for (const line of lines.filter((other) => !other.dataset.state)) {
    if (!(await judge(line, "accept"))) return;
  }
  tell("All that was open is accepted.");
}

function correct(line) {
  choose(line);
  tell("");
  editor(line).hidden = false;
  const field = line.querySelector("textarea");
  const current = [...line.querySelectorAll(".choice")].find(
    (choice) => choice.dataset.correction === line.querySelector("[id^=v-]").textContent,
  );
  const first = field || current || line.querySelector(".choice") || line.querySelector(".cancel");
  first.focus();
  if (field) field.select();
  editor(line).scrollIntoView({ block: "nearest" });
}

function cancel(line) {
  editor(line).hidden = true;
  choose(line);
}

async function undo() {
  await saving;
  const facts = await post("/undo", {});
  if (!facts) return;
  if (facts.clip !== clip.dataset.clip) {
    location.href = `/clip/${facts.clip}#a-${facts.attribute}`;
    return;
  }
  const line = document.getElementById(`a-${facts.attribute}`);
  show(line, facts);
  choose(line);
  tell(`${title(line)}: taken back`);
}

async function go(id) {
  const link = document.getElementById(id);
  await saving;
  if (link) location.href = link.href;
  else tell(id === "after" ? "This is the last clip." : "This is the first clip.");
}

function play() {
  if (!audio) return;
  if (audio.paused) audio.play();
  else audio.pause();
}

function seek(by) {
  if (audio) audio.currentTime = Math.max(0, Math.min(audio.duration || 0, audio.currentTime + by));
}

function whileEditing(event, line) {
  const choices = [...line.querySelectorAll(".choice")];
  const at = choices.indexOf(document.activeElement);
  if (event.key === "Escape") cancel(line);
  else if (event.target.tagName === "TEXTAREA") {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    judgeAndGoOn(line, "correct", event.target.value);
  } else if (/^[1-9]$/.test(event.key) && choices[event.key - 1]) choices[event.key - 1].click();
  else if (["ArrowRight", "ArrowDown"].includes(event.key) && at >= 0) choices[(at + 1) % choices.length].focus();
  else if (["ArrowLeft", "ArrowUp"].includes(event.key) && at >= 0) choices.at(at - 1).focus();
  else return;
  event.preventDefault();
}

const keys = {
  j: () => go("after"),
  k: () => go("before"),
  a: () => judgeAndGoOn(chosen(), "accept"),
  r: () => judgeAndGoOn(chosen(), "reject"),
  c: () => correct(chosen()),
  A: acceptRest,
  u: undo,
  "?": () => help.showModal(),
  ArrowUp: () => step(-1),
  ArrowDown: () => step(1),
  ArrowLeft: () => seek(-1),
  ArrowRight: () => seek(1),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const line = editing();
  if (line) return whileEditing(event, line);
  const onControl = event.target.closest("button, a, audio");
  if (event.key === " ") {
    if (onControl) return;
    event.preventDefault();
    return play();
  }
  if (event.key.startsWith("Arrow") && event.target.closest("audio, .clip-scroll")) return;
  const line_ = lines.find((other) => other.dataset.key && other.dataset.key === event.key);
  const act = line_ ? () => choose(line_) : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

for (const line of lines) {
  line.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return event.target.closest("textarea") ? undefined : choose(line);
    if (button.dataset.verdict === "correct") return correct(line);
    if (button.dataset.verdict) return judgeAndGoOn(line, button.dataset.verdict);
    if (button.classList.contains("cancel")) return cancel(line);
    if (button.classList.contains("save")) return judgeAndGoOn(line, "correct", line.querySelector("textarea").value);
    const place = button.dataset.place === undefined ? null : Number(button.dataset.place);
    return judgeAndGoOn(line, "correct", button.dataset.correction, place);
  });
}
document.getElementById("help-open").addEventListener("click", () => help.showModal());
choose(document.getElementById(location.hash.slice(1)) || lines.find((line) => !line.dataset.state) || lines[0]);
scrollTo(0, 0);
