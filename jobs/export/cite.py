"""How to cite a dataset made here."""

CITE = """The method is that of the SpeechCraft paper; the annotations were made by the software speechcraft.

```bibtex
@inproceedings{speechcraft2024,
  title     = {SpeechCraft: A Fine-grained Expressive Speech Dataset with Natural Language Description},
  author    = {Jin, Zeyu and Jia, Jia and Wang, Qixin and Li, Kehan and Zhou, Shuoyi and Zhou, Songtao
               and Qin, Xiaoyu and Wu, Zhiyong},
  booktitle = {Proceedings of the 32nd ACM International Conference on Multimedia},
  year      = {2024}
}
@software{speechcraft-software,
  title = {speechcraft: an automatic speech annotation factory},
  note  = {Apache-2.0}
}
```"""
