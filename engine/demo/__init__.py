"""The demo catalogue: songs, singers, words and sound that songlike invents itself, plainly synthetic.

``words`` (what is sung about) -> ``lyrics`` (verses, choruses, theme labels); ``band`` (how a genre plays) ->
``sound`` (the recording); both -> ``songs`` (a whole song with its 18 labels) -> ``files`` (an ordinary
catalogue folder). Nothing here needs more than NumPy and soundfile.
"""
