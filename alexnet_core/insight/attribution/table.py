"""The table of attribution methods: what each computes, what its map can say, and what it cannot."""

from alexnet_core.insight.attribution.baselines import BASELINE
from alexnet_core.insight.attribution.cam import (
    LAYER,
    grad_cam,
    grad_cam_obstacle,
    guided_grad_cam,
    guided_grad_cam_obstacle,
)
from alexnet_core.insight.attribution.deep_lift import COMPARED, deep_lift, deep_lift_obstacle, deep_lift_shap
from alexnet_core.insight.attribution.gradients import (
    NOISE,
    input_x_gradient,
    saliency,
    smoothgrad,
    smoothgrad_squared,
    vargrad,
)
from alexnet_core.insight.attribution.lrp import EPSILON, GAMMA, RULE, lrp, lrp_obstacle
from alexnet_core.insight.attribution.occlusion import COVER, STRIDE, WINDOW, occlusion
from alexnet_core.insight.attribution.paths import SAMPLES, expected_gradients, integrated_gradients
from alexnet_core.insight.attribution.quadrature import MORE, QUADRATURE, STEPS
from alexnet_core.insight.attribution.rectifiers import deconvolution, guided_backprop, rectifier_obstacle
from alexnet_core.insight.attribution.segments import (
    HIDDEN,
    MASKS,
    PIECES,
    PRECISION,
    STRICTNESS,
    feature_ablation,
    kernel_shap,
    lime,
)
from alexnet_core.insight.attribution.task import SEED, Method

ATTRIBUTIONS: dict[str, Method] = {
    "saliency": Method(
        title="Saliency",
        computes="The gradient of the class's logit with respect to every colour value of the picture.",
        says="Where a tiny change of colour would move the answer most.",
        silent_on="What in the picture made the answer: pixels can matter although changing them slightly does not. "
        "The map is noisy, and partly an edge detector.",
        paper="Simonyan, Vedaldi, Zisserman 2013, arXiv:1312.6034, section 3",
        signed=False,
        compute=saliency,
        group="gradients",
    ),
    "smoothgrad": Method(
        title="SmoothGrad",
        computes="The mean of the gradients of several copies of the picture, each with noise of its own.",
        says="Where small changes of colour move the answer in the same direction for all pictures near this one.",
        silent_on="What the network does with this very picture: the noisy copies are others. "
        "How calm the map is depends on the noise, which somebody chose.",
        paper="Smilkov et al. 2017, arXiv:1706.03825, section 3",
        signed=False,
        compute=smoothgrad,
        group="gradients",
        settings=(*NOISE, SEED),
    ),
    "smoothgrad_squared": Method(
        title="SmoothGrad squared",
        computes="The mean of the squared gradients of noisy copies of the picture.",
        says="Where changes of colour move the answer much, in whichever direction.",
        silent_on="For or against: the squares have no sign. Few places take nearly all of the map.",
        paper="Hooker et al. 2018, arXiv:1806.10758, section 4.1",
        signed=False,
        compute=smoothgrad_squared,
        group="gradients",
        settings=(*NOISE, SEED),
    ),
    "vargrad": Method(
        title="VarGrad",
        computes="The variance of the gradients of noisy copies of the picture.",
        says="Where the gradient depends most on small changes of the picture.",
        silent_on="How much a place contributes: a pixel with a large, steady gradient is left out.",
        paper="Adebayo et al. 2018, arXiv:1810.03307, section 3",
        signed=False,
        compute=vargrad,
        group="gradients",
        settings=(*NOISE, SEED),
    ),
    "input_x_gradient": Method(
        title="Input x gradient",
        computes="Every colour value, counted from the mean colour, times its gradient.",
        says="How the answer would share out over the pixels if the network were linear around this picture.",
        silent_on="Pixels of the mean colour, which get nothing; and what happens far from this picture, for networks "
        "are not linear. The shares do not add up.",
        paper="Shrikumar et al. 2016, arXiv:1605.01713, section 3.1",
        signed=True,
        compute=input_x_gradient,
        group="gradients",
    ),
    "integrated_gradients": Method(
        title="Integrated gradients",
        computes="The picture minus a baseline, usually black, times the gradient averaged over the way from one to "
        "the other.",
        says="How the rise of the logit from the baseline to this picture is shared out over the pixels; "
        "the shares add up.",
        silent_on="What parts contribute that equal the baseline: with black, black parts get nothing. "
        "Another baseline gives another map.",
        paper="Sundararajan, Taly, Yan 2017, arXiv:1703.01365, section 3",
        signed=True,
        compute=integrated_gradients,
        group="contributions",
        settings=(BASELINE, STEPS, QUADRATURE, MORE, PRECISION, SEED),
        again={"more": "off"},  # at points, for a scrambled network's score may hardly rise
        slow=True,
    ),
    "expected_gradients": Method(
        title="Expected gradients",
        computes="The picture minus another one, times the gradient somewhere between them, averaged over many "
        "pictures (Captum calls it GradientSHAP).",
        says="How the rise above the average answer is shared out, without one baseline that is favoured.",
        silent_on="Exact shares: they come from random draws, and add up only roughly. "
        "The pictures that are compared with decide what counts as usual.",
        paper="Erion et al. 2019, arXiv:1906.10670, section 3; Lundberg and Lee 2017, arXiv:1705.07874",
        signed=True,
        compute=expected_gradients,
        group="contributions",
        settings=(SAMPLES, PRECISION, SEED),
        compares=True,
        slow=True,
    ),
    "deep_lift": Method(
        title="DeepLIFT",
        computes="The difference of every value from its value for a baseline, passed back through each layer in "
        "proportion to what it changed (the rescale rule).",
        says="How the rise of the logit from the baseline is shared out, also where gradients are zero; "
        "the shares add up.",
        silent_on="Values that work together, such as the larger of two: the rule shares out by size, one of many "
        "possible ways. Two networks that always answer alike can get different maps.",
        paper="Shrikumar, Greenside, Kundaje 2017, arXiv:1704.02685, section 3",
        signed=True,
        compute=deep_lift,
        group="contributions",
        settings=(BASELINE, SEED),
        obstacle=deep_lift_obstacle,
    ),
    "deep_lift_shap": Method(
        title="DeepLIFT SHAP",
        computes="The mean of DeepLIFT over several pictures to compare with.",
        says="How the rise above the average answer of those pictures is shared out; the shares add up.",
        silent_on="True Shapley values: it takes the pixels as independent and the rule of DeepLIFT as right.",
        paper="Lundberg and Lee 2017, arXiv:1705.07874, section 4.2",
        signed=True,
        compute=deep_lift_shap,
        group="contributions",
        settings=(COMPARED, SEED),
        compares=True,
        slow=True,
        obstacle=deep_lift_obstacle,
    ),
    "lrp": Method(
        title="LRP",
        computes="The class's logit, handed back layer by layer to what contributed to it (layer-wise relevance "
        "propagation).",
        says="Which places the answer was put together from, layer by layer.",
        silent_on="What would happen if they changed. With the epsilon rule it is nearly the picture times its "
        "gradient; with gamma it hardly depends on the last layers.",
        paper="Bach et al. 2015, doi:10.1371/journal.pone.0130140; Sixt et al. 2019 on its limits, arXiv:1912.09818",
        signed=True,
        compute=lrp,
        group="contributions",
        settings=(RULE, EPSILON, GAMMA),
        obstacle=lrp_obstacle,
    ),
    "guided_backprop": Method(
        title="Guided backpropagation",
        computes="The gradient, with all that is negative stopped at every ReLU on its way back.",
        says="Sharp outlines that the network's early layers respond to.",
        silent_on="The class and the training: the map hardly changes for another class, or when the last layers are "
        "scrambled. It restores edges of the picture.",
        paper="Springenberg et al. 2014, arXiv:1412.6806, section 3.4; Adebayo et al. 2018 on its limits, "
        "arXiv:1810.03292",
        signed=False,
        compute=guided_backprop,
        group="gradients",
        obstacle=rectifier_obstacle,
    ),
    "deconvolution": Method(
        title="Deconvolution",
        computes="The logit sent back through the network with a ReLU on the way back in place of each ReLU's "
        "derivative.",
        says="Which patterns of the picture the layers passed on, as the authors of ZFNet drew them.",
        silent_on="The class: the map depends on it even less than guided backpropagation's, and is the noisier one.",
        paper="Zeiler, Fergus 2013, arXiv:1311.2901, section 2.1",
        signed=False,
        compute=deconvolution,
        group="gradients",
        obstacle=rectifier_obstacle,
    ),
    "grad_cam": Method(
        title="Grad-CAM",
        computes="A convolution's maps, usually the last one's, weighted by their mean gradients, added up, and cut "
        "off below zero.",
        says="In which region that layer found what speaks for the class.",
        silent_on="Fine detail, for the map has only a few rows and columns; "
        "and what speaks against the class, which is cut off.",
        paper="Selvaraju et al. 2017, arXiv:1610.02391, section 3",
        signed=False,
        compute=grad_cam,
        group="activations",
        settings=(LAYER,),
        obstacle=grad_cam_obstacle,
    ),
    "guided_grad_cam": Method(
        title="Guided Grad-CAM",
        computes="Guided backpropagation times Grad-CAM's map.",
        says="Outlines within the region that speaks for the class.",
        silent_on="Whether the outlines matter: only the region depends on the class, the detail is guided "
        "backpropagation's.",
        paper="Selvaraju et al. 2017, arXiv:1610.02391, section 3.1",
        signed=False,
        compute=guided_grad_cam,
        group="activations",
        settings=(LAYER,),
        obstacle=guided_grad_cam_obstacle,
    ),
    "occlusion": Method(
        title="Occlusion",
        computes="How far the class's logit falls when a small square covers that place.",
        says="What really happens to the answer when a part is hidden; below zero, hiding it helps the class.",
        silent_on="Parts that can stand in for each other: hiding one of two eyes may change nothing. "
        "The square itself is a shape the network never saw.",
        paper="Zeiler, Fergus 2013, arXiv:1311.2901, section 4.2",
        signed=True,
        compute=occlusion,
        group="perturbations",
        settings=(WINDOW, STRIDE, COVER, PRECISION),
        slow=True,
    ),
    "feature_ablation": Method(
        title="Feature ablation",
        computes="How far the class's logit falls when one piece of like colour is hidden.",
        says="Which things, rather than squares, the answer would miss.",
        silent_on="Pieces that can stand in for each other: hiding one may change nothing. "
        "The pieces follow colours, not what the network sees.",
        paper="Zeiler, Fergus 2013, arXiv:1311.2901, section 4.2; Achanta et al. 2012 on the pieces (SLIC), "
        "doi:10.1109/TPAMI.2012.120",
        signed=True,
        compute=feature_ablation,
        group="perturbations",
        settings=(PIECES, HIDDEN),
    ),
    "kernel_shap": Method(
        title="KernelSHAP",
        computes="The share of each piece in the rise of the logit from the hidden picture to the whole one, from "
        "random sets of pieces (estimated Shapley values).",
        says="A fair share for pieces that work together or stand in for each other; the shares add up.",
        silent_on="Pictures that occur: most of those it asks about are torn to pieces. "
        "Another seed, or fewer samples, gives other shares.",
        paper="Lundberg and Lee 2017, arXiv:1705.07874, section 4.1",
        signed=True,
        compute=kernel_shap,
        group="perturbations",
        settings=(PIECES, MASKS, HIDDEN, PRECISION, SEED),
        slow=True,
    ),
    "lime": Method(
        title="LIME",
        computes="The weights of a sparse linear model that imitates the network near this picture, over pieces "
        "switched on and off.",
        says="The few pieces that matter most, as far as their effects add up.",
        silent_on="How well the imitation fits; and it depends on how pieces, samples and likeness were chosen.",
        paper="Ribeiro, Singh, Guestrin 2016, arXiv:1602.04938, section 3",
        signed=True,
        compute=lime,
        group="perturbations",
        settings=(PIECES, MASKS, HIDDEN, STRICTNESS, PRECISION, SEED),
        slow=True,
    ),
}
"""The methods by the names that commands, addresses and caches use."""
