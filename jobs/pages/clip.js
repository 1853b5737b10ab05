"use strict";
// Each .clip holds an <audio> and may hold a .clip-figure: the playhead follows the sound, a click seeks,
// and one clip plays at a time.
for (const clip of document.querySelectorAll(".clip")) {
  const audio = clip.querySelector("audio");
  const figure = clip.querySelector(".clip-figure");
  if (!audio || !figure) continue;
  const seconds = Number(figure.dataset.seconds), left = Number(figure.dataset.left);
  const width = Number(figure.dataset.width), total = figure.viewBox.baseVal.width;
  const head = figure.querySelector(".head"), words = figure.querySelectorAll("[data-word]");
  const scroll = figure.parentElement;
  const follow = () => {
    const x = left + width * Math.min(audio.currentTime / seconds, 1);
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
    for (const word of words) {
      const inside = audio.currentTime >= word.dataset.start && audio.currentTime < word.dataset.end;
      word.classList.toggle("now", inside);
    }
    if (!audio.paused) {
      if (scroll.scrollWidth > scroll.clientWidth) {
        scroll.scrollLeft = (x / total) * scroll.scrollWidth - scroll.clientWidth / 2;
      }
      requestAnimationFrame(follow);
    }
  };
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    clip.classList.add("playing");
    follow();
  });
  audio.addEventListener("seeked", follow);
  audio.addEventListener("ended", () => clip.classList.remove("playing"));
  figure.addEventListener("click", (event) => {
    const box = figure.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * total;
    audio.currentTime = Math.max(0, Math.min(seconds, ((x - left) / width) * seconds));
    audio.play();
  });
}
