--- Words that tell nothing, for everything that a program of the gallery has to name. None of them is a word or a
--- module of Erlang.

local WORDS = [[
acorn alder almond amber anchor anvil apple arbor arctic aspen aster atlas autumn badger bamboo barley basil basin
beaver beech bison blossom boulder bracken bramble brook buckle burrow cactus camel candle canoe cedar cherry chestnut
cider cinder cliff cloud clover cobalt comet condor copper coral cotton cove coyote crane crater creek cricket crystal
cypress daisy dolphin dove dragon drift dune eagle echo elder elm ember falcon feather fern fiddle finch fjord flint
foam forest fox frost garnet geyser ginger glacier glade gold grove gull harbor hazel heath hedge heron hickory holly
honey hornet indigo iris island ivory ivy jackal jade jasmine juniper kelp kettle lagoon lantern larch lark laurel
lemon lichen lilac lily linden lobster lotus lynx magpie mango maple marble marsh meadow melon mesa mint mist moose
moss mulberry myrtle narwhal nectar nettle nickel nutmeg oak oasis olive onyx opal orchard orchid osprey otter owl
oyster palm panda pansy papaya parrot pebble pelican peony pepper petal pigeon pine plum pond poplar poppy prairie
quail quarry quartz quill rabbit raven reef ridge robin rose ruby saffron sage salmon sand sapphire sequoia shell
silver slate sparrow spruce squirrel stone stork strait summit swallow swan teal thistle thrush thyme tiger topaz trout
tulip tundra turnip turtle velvet violet walnut walrus weasel willow wren yarrow zebra zinnia
]]

local list = {}
for word in WORDS:gmatch "%l+" do list[#list + 1] = word end
return list
